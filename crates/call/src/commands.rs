//! Commands: one typed set with one rights check, whatever the way in.
//!
//! Knows: who may command what. Must never know: sockets, feature codes, pages.

use std::time::Duration;

use facts::event::EventKind;

use crate::door::{Actor, Command, Output, Refused};
use crate::engine::Engine;
use crate::settings::FeatureAction;
use crate::words;

impl Engine {
    pub(crate) fn command(&mut self, now: Duration, token: u64, actor: &Actor, command: Command) {
        let result = self.execute(now, actor, command);
        self.push(Output::Reply { token, result });
    }

    /// Checks and does; every refusal is a fact.
    pub(crate) fn execute(&mut self, now: Duration, actor: &Actor, command: Command) -> Result<(), Refused> {
        let name = words::command_name(&command);
        let known = self.permit(actor, &command).and_then(|()| self.knows_reason(&command));
        let result = known.and_then(|()| {
            let input = input(actor, command);
            self.acd.check(&input).map_err(Refused::Acd)?;
            self.acd.handle(now, input);
            Ok(())
        });
        if let Err(refused) = &result {
            let reason = refused.to_string().into();
            let by = words::actor(actor);
            self.fact(now, None, EventKind::CommandRefused { by, command: name.into(), reason });
        }
        result
    }

    /// The one rights check: a phone changes its own operator's state, the control socket everything.
    fn permit(&self, actor: &Actor, command: &Command) -> Result<(), Refused> {
        match (actor, command) {
            (Actor::LocalControl, _) => Ok(()),
            (Actor::Phone(account), Command::Operator { operator, .. }) if account == operator => Ok(()),
            (Actor::Phone(_), _) => Err(Refused::NotYours),
        }
    }

    /// A reason is a word of the figures: one that configuration does not name would be a figure of its own.
    fn knows_reason(&self, command: &Command) -> Result<(), Refused> {
        let Command::Operator { command: acd::OperatorCommand::NotReady(reason), .. } = command else {
            return Ok(());
        };
        // Each reason has a code of its own.
        let known = self.settings.feature_codes.iter().any(|feature| {
            matches!(&feature.action, FeatureAction::State(acd::OperatorCommand::NotReady(known)) if known == reason)
        });
        if known { Ok(()) } else { Err(Refused::UnknownReason(reason.clone())) }
    }
}

fn input(actor: &Actor, command: Command) -> acd::Input {
    match command {
        Command::Operator { operator, command } => {
            let by = match actor {
                Actor::LocalControl => acd::CommandSource::Control,
                Actor::Phone(_) => acd::CommandSource::FeatureCode,
            };
            acd::Input::Operator { operator, command, by }
        }
        Command::Line { line, command } => acd::Input::Line { line, command },
    }
}
