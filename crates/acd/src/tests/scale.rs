//! A decision costs the same with ten or a hundred thousand waiting.

use super::world::*;
use crate::acd::Acd;
use crate::door::Level::{One, Two};
use crate::door::*;

/// How many contacts and operators the decisions of an operator's and a caller's few events look at.
fn examined_with(waiting: u64) -> u64 {
    let mut lines = Vec::new();
    for name in 0..20 {
        let mut line = line(&format!("line-{name}"), if name % 2 == 0 { One } else { Two });
        line.waiting_max = usize::MAX;
        line.rings = vec![ring(0, 4), ring(30, 1)];
        lines.push(line);
    }
    let operators: Vec<Operator> = (0..200)
        .map(|number| {
            let operator = operator(&format!("operator-{number:03}"), &[One, Two]);
            if number % 3 == 0 { subcontracted(operator) } else { operator }
        })
        .collect();
    let mut acd = Acd::new(s(0), Plan { lines, operators });
    for contact in 0..waiting {
        let line = format!("line-{}", contact % 20).into();
        acd.handle(s(0), Input::Arrived { contact: ContactId(contact), line });
        acd.handle(s(0), Input::Chose { contact: ContactId(contact), language: "fr".into() });
        while acd.poll_output().is_some() {}
    }
    acd.handle(s(40), Input::Timeout);
    while acd.poll_output().is_some() {}

    acd.examined = 0;
    let operator: Name = "operator-001".into();
    acd.handle(s(41), Input::Devices { operator: operator.clone(), reachable: true });
    let proof = std::iter::from_fn(|| acd.poll_output())
        .find_map(|output| match output {
            Output::Offer { proof, .. } => Some(proof),
            _ => None,
        })
        .expect("an operator among the waiting is offered a contact");
    acd.handle(s(42), Input::Failed { proof, why: OfferFailure::Refused(603) });
    let by = CommandSource::FeatureCode;
    acd.handle(s(43), Input::Operator { operator, command: OperatorCommand::Ready, by });
    acd.handle(s(44), Input::Gone { contact: ContactId(waiting - 1) });
    acd.examined
}

#[test]
fn a_decision_looks_at_as_many_with_ten_as_with_a_hundred_thousand_waiting() {
    let few = examined_with(20);
    assert!(few < 20, "{few} looked at");
    assert_eq!(examined_with(100_000), few);
}

#[test]
fn the_last_operator_signing_out_tells_the_queue_in_portions() {
    let mut deep = line("deep", Two);
    deep.waiting_max = usize::MAX;
    let mut w = World::staffed(vec![deep], vec![operator("eve", &[Two])]);
    w.command("eve", OperatorCommand::NotReady("break".into()));
    for contact in 0..150 {
        w.call(contact, "deep");
    }
    assert_eq!(w.devices("eve", false), ["eve signed-out by Devices"]);
    let portions: Vec<usize> = (0..4).map(|_| w.step(Input::Timeout).len()).collect();
    assert_eq!(portions, [64, 64, 22, 0]);
    // Somebody who comes back in the middle of it ends the telling.
    w.devices("eve", true);
    w.devices("eve", false);
    assert_eq!(w.step(Input::Timeout).len(), 64);
    assert_eq!(w.devices("eve", true).len(), 64 + 1, "what is due comes before the input");
    assert_eq!(w.step(Input::Timeout), Vec::<String>::new());
}
