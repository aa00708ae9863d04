//! `vigie run`: takes calls until it is told to stop.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::RunArguments;
use crate::config::{self, Transport};
use crate::program::{Program, init_logging};

/// How often a drain looks whether the last call is over.
const DRAIN_LOOK_EVERY: Duration = Duration::from_millis(200);

/// Runs.
pub fn run(arguments: &RunArguments) -> ExitCode {
    let deployment = match config::load_and_create_secrets(&arguments.config) {
        Ok(deployment) => deployment,
        Err(problems) => {
            eprint!("{problems}");
            eprintln!(
                "vigie does not start: the configuration in {} has errors.",
                arguments.config.display()
            );
            return ExitCode::FAILURE;
        }
    };
    init_logging(deployment.node.log_level);
    for warning in &deployment.warnings {
        tracing::warn!("{warning}");
    }
    let name = deployment.node.name.clone();
    let program = match Program::start(deployment) {
        Ok(program) => program,
        Err(error) => {
            eprintln!("vigie does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Whoever started it may have closed the pipe; calls are taken all the same.
    let _ = greet(&name, &program, &mut io::stdout().lock());
    let waited = wait_for_the_end(&program);
    program.stop();
    match waited {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vigie: signals can't be waited for: {error}");
            ExitCode::FAILURE
        }
    }
}

fn greet(name: &str, program: &Program, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "vigie {} on {name}: ready for calls", env!("CARGO_PKG_VERSION"))?;
    for (transport, address) in program.sip_addresses() {
        let transport = match transport {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        };
        writeln!(out, "  SIP over {transport} at {address}")?;
    }
    out.flush()
}

/// The first signal drains, the second ends at once.
fn wait_for_the_end(program: &Program) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        loop {
            tokio::select! {
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                // A terminal that closes, or an administrator's habit: neither may end a call.
                _ = hang_up.recv() => {
                    tracing::warn!("SIGHUP does nothing here: a changed configuration is read at the next start");
                }
            }
        }
        program.drain();
        tracing::info!("no new calls; a second signal ends the present ones");
        loop {
            if program.live_calls() == 0 {
                return Ok(());
            }
            tokio::select! {
                _ = interrupt.recv() => return Ok(()),
                _ = terminate.recv() => return Ok(()),
                () = tokio::time::sleep(DRAIN_LOOK_EVERY) => {}
            }
        }
    })
}
