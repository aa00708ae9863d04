//! Being called: every request that comes in, and the answers to an INVITE (RFC 3261 §8.2, §13.3).
//!
//! It knows the called half of a call's beginning, CANCEL, ACK and BYE. What changes a running session
//! is in `refresh`.

use crate::address::NameAddr;
use crate::call::{Call, Phase, Plan, Unacknowledged};
use crate::config::{Answering, Ringing};
use crate::dialog::Dialog;
use crate::phone::Phone;
use crate::sdp::Description;
use crate::text::{Message, Start};
use crate::transaction::{Hop, Resend, ServerKey, T1_64};
use crate::uac::{ALLOW, UNUSABLE, tag_of};
use crate::{CallId, End, Event, Private, Refusal};
use std::time::Duration;

impl Phone {
    /// A request that was not seen before.
    pub(crate) fn serve(&mut self, now: Duration, request: Message, key: &ServerKey, back: Hop) {
        let method = request.method().unwrap_or_default().to_owned();
        if method == "CANCEL" {
            self.on_cancel(now, &request, key);
            return;
        }
        let required = request.values("Require");
        if !required.is_empty() {
            // RFC 3261 §8.2.2.3: this phone has no extension that could be required of it.
            let mut response = self.response(&request, 420);
            response.push("Unsupported", required.join(", "));
            self.reply(now, key, &response);
            return;
        }
        if let Some(to_tag) = tag_of(&request, "To") {
            let from_tag = tag_of(&request, "From");
            let owner =
                self.calls.values().find(|call| call.dialog.owns(&request, &to_tag, from_tag.as_deref()));
            match owner.map(|call| call.id) {
                Some(id) => self.serve_in_dialog(now, id, &request, key),
                None => self.refuse(now, &request, key, 481),
            }
            return;
        }
        match method.as_str() {
            "INVITE" => self.on_invite(now, request, key, back),
            "OPTIONS" => self.refuse(now, &request, key, 200),
            "BYE" | "UPDATE" => self.refuse(now, &request, key, 481),
            _ => self.refuse(now, &request, key, 405),
        }
    }

    fn serve_in_dialog(&mut self, now: Duration, id: CallId, request: &Message, key: &ServerKey) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let number = request.cseq().map_or(0, |(number, _)| number);
        // RFC 3261 §12.2.2: an old number is out of order.
        if call.dialog.remote_number.is_some_and(|last| number <= last) {
            self.refuse(now, request, key, 500);
            return;
        }
        call.dialog.remote_number = Some(number);
        match request.method().unwrap_or_default() {
            "BYE" => self.on_bye(now, id, request, key),
            "INVITE" => self.on_reinvite(now, id, request, key),
            "UPDATE" => self.on_update(now, id, request, key),
            "OPTIONS" => self.refuse(now, request, key, 200),
            _ => self.refuse(now, request, key, 405),
        }
    }

    fn on_invite(&mut self, now: Duration, invite: Message, key: &ServerKey, back: Hop) {
        let local_tag = self.token();
        let Some(dialog) = Dialog::of_request(&invite, &local_tag, back) else {
            self.refuse(now, &invite, key, 400);
            return;
        };
        let Some(opened) = self.open_line(None, None) else {
            self.refuse(now, &invite, key, 486);
            return;
        };
        let offer = invite.sdp().map(Description::parse);
        let usable = offer
            .is_none_or(|offer| offer.is_some_and(|offer| opened.session.clone().answer(&offer).is_some()));
        if !usable {
            self.refuse(now, &invite, key, 488);
            return;
        }
        let trying = self.response(&invite, 100);
        self.reply(now, key, &trying);
        let from = invite.header("From").and_then(NameAddr::parse);
        let (from_display, from) = from.map(|from| (from.display, from.uri)).unwrap_or_default();
        let to = match &invite.start {
            Start::Request { uri, .. } => uri.clone(),
            Start::Response { .. } => String::new(),
        };
        let (id, behaviour) = (opened.id, self.behaviour.clone());
        let phase = Phase::Incoming { invite: Box::new(invite), key: key.clone() };
        let mut call = Call::new(opened, false, phase, dialog);
        call.plan = match behaviour.answering {
            Answering::OnCommand | Answering::Dead => None,
            Answering::Accept { after } => Some((now + after, Plan::Accept)),
            Answering::Reject { after, status, contact } => {
                Some((now + after, Plan::Reject { status, contact }))
            }
        };
        self.calls.insert(id, call);
        self.event(Event::Incoming {
            call: id,
            from_display: from_display.into(),
            from: from.into(),
            to: to.into(),
        });
        // The call was made for this very moment, so it can't refuse to ring.
        let _ = self.ring(now, id, behaviour.ringing);
        self.run_call(now, id);
    }

    pub(crate) fn ring(&mut self, now: Duration, id: CallId, ringing: Ringing) -> Result<(), Refusal> {
        let call = self.calls.get_mut(&id).ok_or(Refusal::NoSuchCall)?;
        let Phase::Incoming { invite, key } = &call.phase else { return Err(Refusal::WrongState) };
        let (invite, key) = (invite.clone(), key.clone());
        let (status, body) = match ringing {
            Ringing::Silent => return Ok(()),
            Ringing::Ring => (180, None),
            Ringing::EarlyMedia => {
                // Without an offer there is nothing to answer: RFC 3262 alone lets a 183 carry one.
                let offer = invite.sdp().and_then(Description::parse);
                let body = offer.and_then(|offer| call.session.answer(&offer));
                call.follow_session(now);
                (183, body)
            }
        };
        let mut response = self.response_in(id, &invite, status);
        if let Some(body) = body {
            response.set_body("application/sdp", body);
        }
        self.reply(now, &key, &response);
        Ok(())
    }

    pub(crate) fn answer(&mut self, now: Duration, id: CallId) -> Result<(), Refusal> {
        let call = self.calls.get_mut(&id).ok_or(Refusal::NoSuchCall)?;
        let Phase::Incoming { invite, key } = &call.phase else { return Err(Refusal::WrongState) };
        let (invite, key) = (invite.clone(), key.clone());
        let offer = invite.sdp().and_then(Description::parse);
        let offered = offer.is_none();
        let body = match offer {
            Some(offer) => call.session.answer(&offer).ok_or(Refusal::WrongState)?,
            None => call.session.offer(),
        };
        call.phase = Phase::Established;
        call.plan = None;
        call.follow_session(now);
        let mut response = self.response_in(id, &invite, 200);
        response.set_body("application/sdp", body);
        self.reply_until_acknowledged(now, id, &invite, &key, &response, offered, true);
        Ok(())
    }

    /// RFC 3261 §13.3.1.4: a 2xx is sent again until its ACK comes, whatever the transport.
    #[expect(
        clippy::too_many_arguments,
        reason = "a 2xx needs its request, its transaction and what the ACK owes"
    )]
    pub(crate) fn reply_until_acknowledged(
        &mut self,
        now: Duration,
        id: CallId,
        invite: &Message,
        key: &ServerKey,
        response: &Message,
        offered: bool,
        initial: bool,
    ) {
        let hop = self.servers.iter().find(|server| server.key == *key).map(|server| server.hop);
        if let (Some(call), Some(hop)) = (self.calls.get_mut(&id), hop) {
            call.unacknowledged = Some(Unacknowledged {
                number: invite.cseq().map_or(0, |(number, _)| number),
                bytes: response.print(),
                hop,
                resend: Resend::from(now),
                ends_at: now + T1_64,
                offered,
                initial,
            });
        }
        self.reply(now, key, response);
    }

    pub(crate) fn reject(
        &mut self,
        now: Duration,
        id: CallId,
        status: u16,
        contact: Option<Private>,
    ) -> Result<(), Refusal> {
        let call = self.calls.get(&id).ok_or(Refusal::NoSuchCall)?;
        let Phase::Incoming { invite, key } = &call.phase else { return Err(Refusal::WrongState) };
        if !(300..700).contains(&status) {
            return Err(Refusal::WrongState);
        }
        let (invite, key) = (invite.clone(), key.clone());
        let mut response = self.response_in(id, &invite, status);
        if let Some(contact) = contact {
            response.set("Contact", format!("<{}>", contact.as_str()));
        }
        self.reply(now, &key, &response);
        self.end_call(id, End::Refused(status), None);
        Ok(())
    }

    fn on_cancel(&mut self, now: Duration, cancel: &Message, key: &ServerKey) {
        let invite_key = key.of_invite();
        if !self.servers.iter().any(|server| server.key == invite_key) {
            self.refuse(now, cancel, key, 481);
            return;
        }
        // RFC 3261 §9.2: the CANCEL is answered 200 whether or not it came in time.
        self.refuse(now, cancel, key, 200);
        let ringing = self.calls.values().find_map(|call| match &call.phase {
            Phase::Incoming { invite, key } if *key == invite_key => Some((call.id, invite.clone())),
            _ => None,
        });
        if let Some((id, invite)) = ringing {
            let response = self.response_in(id, &invite, 487);
            self.reply(now, &invite_key, &response);
            self.end_call(id, End::Cancelled, cancel.header("Reason").map(str::to_owned));
        }
    }

    fn on_bye(&mut self, now: Duration, id: CallId, bye: &Message, key: &ServerKey) {
        self.refuse(now, bye, key, 200);
        let reason = bye.header("Reason").map(str::to_owned);
        let waiting = self.calls.get(&id).and_then(|call| match &call.phase {
            Phase::Incoming { invite, key } => Some((invite.clone(), key.clone())),
            _ => None,
        });
        if let Some((invite, invite_key)) = waiting {
            // RFC 3261 §15.1.2: a request still unanswered when the BYE comes gets 487.
            let response = self.response_in(id, &invite, 487);
            self.reply(now, &invite_key, &response);
        }
        self.end_call(id, End::ByPeer, reason);
    }

    pub(crate) fn on_ack(&mut self, now: Duration, ack: &Message) {
        let (Some(to_tag), from_tag) = (tag_of(ack, "To"), tag_of(ack, "From")) else { return };
        let Some(call) =
            self.calls.values_mut().find(|call| call.dialog.owns(ack, &to_tag, from_tag.as_deref()))
        else {
            return;
        };
        let number = ack.cseq().map_or(0, |(number, _)| number);
        let Some(waited) = call.unacknowledged.take_if(|waiting| waiting.number == number) else { return };
        let id = call.id;
        let before = call.session.agreement.map(|agreed| agreed.peer_direction);
        let mut usable = true;
        if waited.offered {
            let answer = ack.sdp().and_then(Description::parse);
            usable = answer.is_some_and(|answer| call.session.accept(&answer));
            call.session.offered = false;
            call.follow_session(now);
        }
        let farewell = call.farewell.take();
        if waited.initial {
            self.event(Event::Answered { call: id });
        } else {
            self.tell_direction(id, before);
        }
        if let Some(reason) = farewell {
            self.say_goodbye(now, id, End::ByMe, reason);
        } else if !usable {
            self.say_goodbye(now, id, End::ByMe, Some(UNUSABLE.to_owned()));
        }
    }

    /// Answers with a bare status, outside of any call's beginning.
    pub(crate) fn refuse(&mut self, now: Duration, request: &Message, key: &ServerKey, status: u16) {
        let response = self.response(request, status);
        self.reply(now, key, &response);
    }

    /// A response of a call that exists or begins, under the dialog's own tag.
    pub(crate) fn response_in(&mut self, id: CallId, request: &Message, status: u16) -> Message {
        let tag = self.calls.get(&id).map(|call| call.dialog.local_tag.clone());
        self.response_tagged(request, status, tag)
    }

    /// A response outside of calls.
    pub(crate) fn response(&mut self, request: &Message, status: u16) -> Message {
        self.response_tagged(request, status, None)
    }

    fn response_tagged(&mut self, request: &Message, status: u16, tag: Option<String>) -> Message {
        let mut response = Message::response(status, phrase(status));
        let dialog_forming = request.method() == Some("INVITE") && (101..300).contains(&status);
        // RFC 3261 §8.2.6.2, and §12.1.1 for Record-Route.
        for (name, value) in &request.headers {
            let copied =
                ["Via", "From", "Call-ID", "CSeq"].iter().any(|have| name.eq_ignore_ascii_case(have));
            let route = dialog_forming && name.eq_ignore_ascii_case("Record-Route");
            if copied || route {
                response.push(name, value.clone());
            } else if name.eq_ignore_ascii_case("To")
                && !response.headers.iter().any(|(have, _)| have == "To")
            {
                // RFC 3261 §8.2.6.2: every response but a 100 has a tag.
                let tagged = status == 100 || tag_of(request, "To").is_some();
                let suffix = match (tagged, &tag) {
                    (true, _) => String::new(),
                    (false, Some(tag)) => format!(";tag={tag}"),
                    (false, None) => format!(";tag={}", self.token()),
                };
                response.push("To", format!("{value}{suffix}"));
            }
        }
        if dialog_forming || (200..300).contains(&status) {
            response.push("Contact", self.contact());
        }
        if (200..300).contains(&status) || status == 405 {
            response.push("Allow", ALLOW);
        }
        response.push("Server", self.config.user_agent.clone());
        response
    }
}

fn phrase(status: u16) -> &'static str {
    const PHRASES: [(u16, &str); 19] = [
        (100, "Trying"),
        (180, "Ringing"),
        (183, "Session Progress"),
        (200, "OK"),
        (302, "Moved Temporarily"),
        (400, "Bad Request"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (420, "Bad Extension"),
        (480, "Temporarily Unavailable"),
        (481, "Call/Transaction Does Not Exist"),
        (486, "Busy Here"),
        (487, "Request Terminated"),
        (488, "Not Acceptable Here"),
        (491, "Request Pending"),
        (500, "Server Internal Error"),
        (503, "Service Unavailable"),
        (600, "Busy Everywhere"),
        (603, "Decline"),
    ];
    // RFC 3261 §7.2: the phrase is for people; an unusual status needs none of its own.
    PHRASES.iter().find(|(have, _)| *have == status).map_or("Refused", |(_, phrase)| phrase)
}
