//! The terminal: taken over while the board is shown, and given back as it was.
//!
//! Knows: crossterm. Must never know: what the rows say. A frame goes out in one write, between the marks of a
//! synchronised update, over the frame before it: nothing flickers, and nothing is cleared that is drawn again.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor};
use crossterm::terminal::{self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use crossterm::{QueueableCommand, queue};
use tokio::sync::mpsc;

use super::board::{Row, Style};
use super::text::{cut, width};

/// How often the thread that reads keys looks whether the screen is still there.
const KEYS_POLL: Duration = Duration::from_millis(100);

/// What somebody did at the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Touch {
    /// Ctrl-C, or q.
    End,
    /// The terminal has another size.
    Resized,
}

/// A terminal that was taken over.
pub(crate) struct Screen {
    gone: Arc<AtomicBool>,
    frame: Vec<u8>,
}

impl Screen {
    /// Takes the terminal over, if standard output is one that can do it.
    pub(crate) fn open(touched: mpsc::Sender<Touch>) -> Option<Self> {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        if dumb || !io::stdout().is_terminal() || terminal::enable_raw_mode().is_err() {
            return None;
        }
        let mut out = io::stdout();
        if queue!(out, terminal::EnterAlternateScreen, Hide).and_then(|()| out.flush()).is_err() {
            let _ = terminal::disable_raw_mode();
            return None;
        }
        let gone = Arc::new(AtomicBool::new(false));
        let (watched, keys) = (gone.clone(), touched);
        std::thread::spawn(move || read_keys(&watched, &keys));
        Some(Self { gone, frame: Vec::new() })
    }

    /// Columns and rows.
    pub(crate) fn size(&self) -> (usize, usize) {
        // What VT100 had, where nobody says.
        let (columns, rows) = terminal::size().unwrap_or((80, 24));
        (usize::from(columns), usize::from(rows))
    }

    /// Shows these rows and nothing else.
    pub(crate) fn show(&mut self, rows: &[Row]) -> io::Result<()> {
        let (columns, height) = self.size();
        self.frame.clear();
        let frame = &mut self.frame;
        frame.queue(BeginSynchronizedUpdate)?;
        for at in 0..height {
            frame.queue(MoveTo(0, u16::try_from(at).unwrap_or(u16::MAX)))?;
            paint(frame, rows.get(at).map_or(&[], Vec::as_slice), columns)?;
            frame.queue(Clear(ClearType::UntilNewLine))?;
        }
        frame.queue(EndSynchronizedUpdate)?;
        let mut out = io::stdout().lock();
        out.write_all(&self.frame)?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        let mut out = io::stdout();
        // A terminal that is gone needs nothing back.
        let _ = queue!(out, Show, terminal::LeaveAlternateScreen).and_then(|()| out.flush());
        let _ = terminal::disable_raw_mode();
    }
}

fn paint(frame: &mut Vec<u8>, row: &[super::board::Span], columns: usize) -> io::Result<()> {
    // The last column stays free: some terminals wrap as soon as it is written to.
    let mut left = columns.saturating_sub(1);
    for span in row {
        let text = cut(&span.text, left);
        left -= width(&text);
        match span.style {
            Style::Plain => {}
            Style::Faint => drop(frame.queue(SetAttribute(Attribute::Dim))?),
            Style::Strong => drop(frame.queue(SetAttribute(Attribute::Bold))?),
            Style::Heading => {
                frame.queue(SetAttribute(Attribute::Bold))?.queue(SetForegroundColor(Color::Cyan))?;
            }
            Style::Good => drop(frame.queue(SetForegroundColor(Color::Green))?),
            Style::Busy => drop(frame.queue(SetForegroundColor(Color::Blue))?),
            Style::Warning => drop(frame.queue(SetForegroundColor(Color::Yellow))?),
            Style::Bad => {
                frame.queue(SetAttribute(Attribute::Bold))?.queue(SetForegroundColor(Color::Red))?;
            }
        }
        frame.queue(Print(text))?;
        if span.style != Style::Plain {
            frame.queue(SetAttribute(Attribute::Reset))?.queue(ResetColor)?;
        }
    }
    Ok(())
}

fn read_keys(gone: &AtomicBool, touched: &mpsc::Sender<Touch>) {
    while !gone.load(Ordering::Relaxed) {
        let touch = match event::poll(KEYS_POLL) {
            Ok(true) => event::read().ok().and_then(meaning),
            Ok(false) => None,
            Err(_) => return,
        };
        if let Some(touch) = touch
            && touched.blocking_send(touch).is_err()
        {
            return;
        }
    }
}

fn meaning(event: Event) -> Option<Touch> {
    match event {
        Event::Resize(_, _) => Some(Touch::Resized),
        // In raw mode Ctrl-C is a key as any other.
        Event::Key(key) if key.kind == KeyEventKind::Press => match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Touch::End),
            KeyCode::Char('q') => Some(Touch::End),
            _ => None,
        },
        _ => None,
    }
}
