//! How to join with a softphone of one's own: as a caller, and as an operator.

use super::cast::{Cast, Login};

/// Told before the board covers the terminal, and in full when there is no board.
pub(crate) fn instructions(cast: &Cast, server: &str, control_socket: &str) -> String {
    let mut out = format!(
        "Everything stays on this machine. Join with any softphone that speaks SIP over UDP or TCP:\n\n\
         {:8}server {server}, domain {} (or 127.0.0.1)\n",
        "", cast.domain,
    );
    if let Some(caller) = &cast.caller {
        out.push_str(&account("call in", caller, &format!("do not register; dial {}", cast.number)));
    }
    match &cast.free_operator {
        Some(operator) => out.push_str(&account("answer", operator, &codes(cast))),
        None => out.push_str("  answer  every operator is simulated; start with fewer: --operators 10\n"),
    }
    out.push_str(&format!(
        "\nLook inside from another terminal:  vigie status --socket {control_socket}  (calls, operators too)\n\
         Ctrl-C: no more callers, the present calls end. Again: end now.\n\n",
    ));
    out
}

/// The same in the fewest words, below the board.
pub(crate) fn footer(cast: &Cast, server: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(Login { user, password }) = &cast.caller {
        lines.push(format!(
            "call in  user {user}  password {password}  no registration, dial {}",
            cast.number
        ));
    }
    if let Some(Login { user, password }) = &cast.free_operator {
        lines.push(format!(
            "answer   user {user}  password {password}  register, {} = ready",
            cast.codes.ready
        ));
    }
    lines.push(format!("softphones: SIP server {server}.  ² takes level 2.  Ctrl-C ends"));
    lines
}

fn account(what: &str, login: &Login, then: &str) -> String {
    format!("  {what:<8}user {:<8}password {:<22}{then}\n", login.user, login.password)
}

fn codes(cast: &Cast) -> String {
    let pause = cast.codes.pauses.first().map_or(String::new(), |code| format!(", {code} a break"));
    format!("register; {} is ready{pause}", cast.codes.ready)
}
