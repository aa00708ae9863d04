//! Nothing is left when everything is over: dialogs, transactions, ports, offers, calls, records, sockets.
//!
//! Knows: what the engine counts. Is asked only at the end, when the longest timer has run out.

use call::Room;

use super::Findings;
use crate::world::World;

const RULE: &str = "nothing leaks";
/// The key under which the SIP and media rooms keep the mark of their numbers, calls or no calls.
const MARK_KEY: u64 = 0;

pub(crate) fn finish(world: &World, findings: &mut Findings) {
    let now = world.now();
    let Some(engine) = world.engine() else {
        return findings.add(now, RULE, "the engine is down at the end");
    };
    let counts = engine.counts();
    let left = [
        ("calls", counts.calls),
        ("dialogs", counts.sip.dialogs),
        ("transactions", counts.sip.transactions),
        ("bindings", counts.sip.bindings),
        ("media legs", counts.media.legs),
        ("ports", counts.media.ports),
        ("resting ports", counts.media.quarantined),
        ("contacts", counts.acd.contacts),
        ("waiting", counts.acd.waiting),
        ("offers", counts.acd.offers),
        ("open media sockets", world.open_legs()),
    ];
    for (what, count) in left.into_iter().filter(|(_, count)| *count > 0) {
        findings.add(now, RULE, format!("{count} {what} left"));
    }
    for (room, key) in world
        .state()
        .keys()
        .filter(|(room, key)| *room == Room::Call || *room == Room::Media && *key != MARK_KEY)
    {
        findings.add(now, RULE, format!("record {key:#x} of {room:?} left"));
    }
    for (id, station) in world.stations() {
        let phone = &station.phone;
        // RFC 3261 §17.1.1.2 gives an INVITE in Proceeding no timer: a re-INVITE whose 200 was lost, and whose call then
        // ended, stays with the phone for ever, and is no affair of the engine's.
        let waits = phone.calls().next().is_some() || phone.poll_timeout().is_some();
        // Whoever is cut off in a call hears nothing of its end; the phone has no timer for that.
        if !phone.is_idle() && waits && !station.vanished {
            findings.add(now, RULE, format!("the phone of {id:?} is not idle"));
        }
    }
}
