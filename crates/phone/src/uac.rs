//! Calling: INVITE, what comes back, ACK, CANCEL (RFC 3261 §13.2, §9.1).
//!
//! It knows the caller's half of a call's beginning. It must never know what the called side does.

use crate::address::NameAddr;
use crate::call::{Call, Cancel, Phase, Plan};
use crate::config::Dial;
use crate::dialog::Dialog;
use crate::phone::Phone;
use crate::sdp::Description;
use crate::text::{Message, Start};
use crate::transaction::{Client, Hop, Purpose, T1_64};
use crate::{CallId, End, Event, Refusal};
use std::time::Duration;

/// The methods a phone takes part in.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE";

impl Phone {
    pub(crate) fn dial(&mut self, now: Duration, dial: Dial) -> Result<(), Refusal> {
        let mut opened = self.open_line(dial.voice.clone(), dial.rtp_mode).ok_or(Refusal::NoCapacity)?;
        let id = opened.id;
        let call_id = format!("{}@{}", self.token(), self.call_id_host());
        let local_tag = self.token();
        let display = dial.from_display.as_ref().map(crate::Private::as_str);
        let from = self.own_name(dial.from.as_ref().map(crate::Private::as_str), display);
        let local = format!("{from};tag={local_tag}");
        let remote = format!("<{}>", dial.to.as_ref().unwrap_or(&dial.request_uri).as_str());
        let mut invite = Message::request("INVITE", dial.request_uri.as_str());
        invite.push("Max-Forwards", "70");
        invite.push("From", local.clone());
        invite.push("To", remote.clone());
        invite.push("Call-ID", call_id.clone());
        invite.push("CSeq", "1 INVITE");
        invite.push("Contact", self.contact());
        invite.push("Allow", ALLOW);
        invite.push("User-Agent", self.config.user_agent.clone());
        if let Some(identity) = &dial.asserted_identity {
            invite.push("P-Asserted-Identity", identity.as_str());
        }
        if let Some(privacy) = &dial.privacy {
            invite.push("Privacy", privacy.clone());
        }
        for (name, value) in &dial.headers {
            invite.push(name, value.as_str());
        }
        if dial.offer {
            invite.set_body("application/sdp", opened.session.offer());
        }
        let hop = self.server_hop();
        let dialog = Dialog {
            call_id,
            local_tag,
            remote_tag: None,
            local,
            remote,
            target: dial.request_uri.as_str().to_owned(),
            routes: Vec::new(),
            local_number: 1,
            remote_number: None,
            hop,
        };
        let phase = Phase::Calling { branch: String::new(), proceeding: false, cancel: Cancel::No };
        let mut call = Call::new(opened, true, phase, dialog);
        call.plan = dial.give_up_after.map(|after| (now + after, Plan::GiveUp));
        self.calls.insert(id, call);
        if !self.start_client(now, invite, hop, Purpose::Invite(id), 0) {
            self.calls.remove(&id);
            return Err(Refusal::NoCapacity);
        }
        self.event(Event::Dialling { call: id });
        Ok(())
    }

    pub(crate) fn ask_options(&mut self, now: Duration) -> Result<(), Refusal> {
        let uri = format!("sip:{}", self.config.domain);
        let mut request = Message::request("OPTIONS", &uri);
        request.push("Max-Forwards", "70");
        request.push("From", format!("{};tag={}", self.own_name(None, None), self.token()));
        request.push("To", format!("<{uri}>"));
        request.push("Call-ID", format!("{}@{}", self.token(), self.call_id_host()));
        request.push("CSeq", "1 OPTIONS");
        request.push("Contact", self.contact());
        request.push("Accept", "application/sdp");
        request.push("User-Agent", self.config.user_agent.clone());
        let sent = self.start_client(now, request, self.server_hop(), Purpose::Options, 0);
        if sent { Ok(()) } else { Err(Refusal::NoCapacity) }
    }

    /// Remembers which INVITE is under way: the first, or the one with credentials.
    pub(crate) fn note_branch(&mut self, id: CallId, new: &str) {
        if let Some(Call { phase: Phase::Calling { branch, proceeding, .. }, .. }) = self.calls.get_mut(&id) {
            new.clone_into(branch);
            *proceeding = false;
        }
    }

    /// Whether a challenged request still makes sense; if so its new number is taken.
    pub(crate) fn may_ask_again(&mut self, purpose: Purpose, number: u32) -> bool {
        match purpose {
            Purpose::Invite(id) => match self.calls.get_mut(&id) {
                Some(Call { phase: Phase::Calling { cancel: Cancel::No, .. }, dialog, .. }) => {
                    dialog.local_number = number;
                    true
                }
                _ => false,
            },
            Purpose::Refresh(id) => self.calls.get_mut(&id).is_some_and(|call| {
                call.dialog.local_number = call.dialog.local_number.max(number);
                true
            }),
            Purpose::Register => {
                self.registration.note_number(number);
                true
            }
            Purpose::Farewell | Purpose::Options => true,
        }
    }

    pub(crate) fn on_invite_response(
        &mut self,
        now: Duration,
        id: CallId,
        branch: &str,
        invite: &Message,
        response: Option<&Message>,
    ) {
        let status = response.and_then(Message::status).unwrap_or(408);
        match response {
            Some(response) if (200..300).contains(&status) => {
                self.on_accepted(now, id, branch, invite, response)
            }
            Some(response) if status < 200 => self.on_provisional(now, id, branch, status, response),
            _ => {
                let reason = response.and_then(|response| response.header("Reason")).map(str::to_owned);
                let Some(Call { phase: Phase::Calling { branch: ours, cancel, .. }, .. }) =
                    self.calls.get(&id)
                else {
                    return;
                };
                if ours != branch {
                    return;
                }
                if *cancel != Cancel::No {
                    self.end_call(id, End::Cancelled, reason);
                } else if let Some(call) = self.calls.remove(&id) {
                    self.event(Event::Rejected { call: id, status, reason, media: call.report() });
                }
            }
        }
    }

    fn on_provisional(&mut self, now: Duration, id: CallId, branch: &str, status: u16, response: &Message) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Phase::Calling { branch: ours, proceeding, cancel } = &mut call.phase else { return };
        if ours != branch {
            return;
        }
        *proceeding = true;
        if *cancel == Cancel::Wanted {
            *cancel = Cancel::Sent;
            call.plan = Some((now + T1_64, Plan::Abandon));
            self.send_cancel(now, branch, None);
            return;
        }
        if status == 100 {
            return;
        }
        // RFC 3261 §13.2.1: SDP in an unreliable provisional foretells the answer of the 2xx.
        let offered = call.session.offered || call.session.agreement.is_some();
        let answer = response.sdp().filter(|_| offered).and_then(Description::parse);
        let early_media = answer.is_some_and(|answer| call.session.accept(&answer));
        call.follow_session(now);
        self.event(Event::Ringing { call: id, status, early_media });
    }

    fn on_accepted(&mut self, now: Duration, id: CallId, branch: &str, invite: &Message, response: &Message) {
        let hop = self
            .clients
            .iter()
            .find(|client| client.branch == branch && client.invite)
            .map(|client| client.hop);
        let Some(mut dialog) = hop.and_then(|hop| Dialog::of_response(invite, response, hop)) else { return };
        let ours = self
            .calls
            .get_mut(&id)
            .filter(|call| matches!(&call.phase, Phase::Calling { branch: have, .. } if have == branch));
        let Some(call) = ours else {
            // RFC 3261 §13.2.2.4: another fork, or a call given up long ago: acknowledge it and end it.
            self.acknowledge(branch, &dialog, invite, None);
            self.send_bye(now, &mut dialog, None);
            return;
        };
        let given_up = matches!(call.phase, Phase::Calling { cancel, .. } if cancel != Cancel::No);
        let (body, usable) = settle(call, invite.sdp().is_some(), response);
        call.phase = Phase::Established;
        call.plan = None;
        call.dialog = dialog.clone();
        call.follow_session(now);
        self.acknowledge(branch, &dialog, invite, body);
        if given_up {
            // RFC 3261 §9.1: the CANCEL crossed the 200, so the call is up and has to be ended.
            self.send_bye(now, &mut dialog, None);
            self.end_call(id, End::Cancelled, None);
            return;
        }
        self.event(Event::Answered { call: id });
        if !usable {
            self.say_goodbye(now, id, End::ByMe, Some(UNUSABLE.to_owned()));
        }
    }

    /// Sends the ACK of a 2xx and keeps it for when the 2xx comes again.
    pub(crate) fn acknowledge(
        &mut self,
        branch: &str,
        dialog: &Dialog,
        invite: &Message,
        body: Option<String>,
    ) {
        let (mut ack, hop) = dialog.ack(invite);
        self.stamp(&mut ack, hop);
        if let Some(body) = body {
            ack.set_body("application/sdp", body);
        }
        let bytes = ack.print();
        let tag = dialog.remote_tag.clone().unwrap_or_default();
        if let Some(client) = self.clients.iter_mut().find(|client| client.branch == branch && client.invite)
        {
            client.acks.push((tag, bytes.clone(), hop));
        }
        self.transmit(hop, bytes);
    }

    /// RFC 3261 §9.1: the INVITE's own Via, route, tags and number.
    pub(crate) fn send_cancel(&mut self, now: Duration, branch: &str, reason: Option<&str>) {
        let Some(client) = self.clients.iter().find(|client| client.branch == branch && client.invite) else {
            return;
        };
        let Start::Request { uri, .. } = &client.request.start else { return };
        let mut cancel = Message::request("CANCEL", uri);
        for name in ["Via", "Max-Forwards", "Route", "From", "To", "Call-ID"] {
            for (have, value) in client.request.headers.iter().filter(|(have, _)| have == name) {
                cancel.push(have, value.clone());
            }
        }
        cancel.push("CSeq", format!("{} CANCEL", client.request.cseq().map_or(0, |(number, _)| number)));
        cancel.headers.extend(reason.map(|reason| ("Reason".to_owned(), reason.to_owned())));
        let (hop, bytes): (Hop, Vec<u8>) = (client.hop, cancel.print());
        self.clients.push(Client::new(now, branch.to_owned(), cancel, hop, Purpose::Farewell));
        self.transmit(hop, bytes);
    }
}

/// The `Reason` of a call that is ended because its sessions do not meet.
pub(crate) const UNUSABLE: &str = "SIP;cause=488;text=\"Not Acceptable Here\"";

/// Takes the session of a 2xx: the body of the ACK, and whether the session is of use.
pub(crate) fn settle(call: &mut Call, offered: bool, response: &Message) -> (Option<String>, bool) {
    let description = response.sdp().and_then(Description::parse);
    match (offered, description) {
        (true, Some(answer)) => (None, call.session.accept(&answer)),
        // The answer came with a provisional response; the 2xx need not repeat it.
        (true, None) => (None, call.session.agreement.is_some()),
        (false, Some(offer)) => {
            let body = call.session.answer(&offer);
            let usable = body.is_some();
            (body, usable)
        }
        (false, None) => (None, false),
    }
}

/// The tag of a `To` or `From` value.
pub(crate) fn tag_of(message: &Message, name: &str) -> Option<String> {
    message.header(name).and_then(NameAddr::parse).and_then(|value| value.tag)
}
