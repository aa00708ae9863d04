//! The live picture, shared: one thread feeds it events, anybody looks.
//!
//! Knows: the board behind a lock, and the names lines are shown by. Must never do: ask the engine.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use facts::kpi::Thresholds;
use facts::{Board, EmployerName, Event, LineName, OperatorName, TrunkName, UnixMicros};

use crate::shape::{CallShape, LineShape, OperatorShape, Status, TrunkShape};

/// The live picture. Looking costs who feeds it a moment at most: shapes are built under a read lock.
#[derive(Debug, Default)]
pub struct Projection {
    seen: RwLock<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    board: Board,
    displays: BTreeMap<LineName, String>,
}

impl Projection {
    /// Empty; figures are stated with these times.
    pub fn new(thresholds: Thresholds) -> Self {
        let seen = Seen { board: Board::new(thresholds), displays: BTreeMap::new() };
        Self { seen: RwLock::new(seen) }
    }

    /// What happened since the last time, in order.
    pub fn apply<'a>(&self, events: impl IntoIterator<Item = &'a Event>) {
        let mut seen = self.write();
        events.into_iter().for_each(|event| seen.board.apply(event));
    }

    /// A new day begins (at the line's midnight): its figures start from zero.
    pub fn new_day(&self, at: UnixMicros) {
        self.write().board.new_day(at);
    }

    /// A configured line is shown before anything happened on it, by this name.
    pub fn expect_line(&self, line: &LineName, display: &str) {
        let mut seen = self.write();
        seen.board.expect_line(line);
        seen.displays.insert(line.clone(), display.to_owned());
    }

    /// A configured trunk is shown before anything happened to it.
    pub fn expect_trunk(&self, trunk: &TrunkName) {
        self.write().board.expect_trunk(trunk);
    }

    /// A configured operator is shown before she signs in.
    pub fn expect_operator(&self, operator: &OperatorName, employer: &EmployerName) {
        self.write().board.expect_operator(operator, employer);
    }

    /// Looks at the board itself.
    pub fn look<T>(&self, look: impl FnOnce(&Board) -> T) -> T {
        look(&self.read().board)
    }

    /// Everything at a glance.
    pub fn status(&self, now: UnixMicros) -> Status {
        let seen = self.read();
        Status::of(&seen.board, &|line| seen.display(line), now)
    }

    /// Calls that are not over, in the order of their arrival.
    pub fn calls(&self, now: UnixMicros) -> Vec<CallShape> {
        let seen = self.read();
        CallShape::all(&seen.board, &|line| seen.display(line), now)
    }

    /// Operators by name.
    pub fn operators(&self, now: UnixMicros) -> Vec<OperatorShape> {
        OperatorShape::all(&self.read().board, now)
    }

    /// Lines by name.
    pub fn lines(&self, now: UnixMicros) -> Vec<LineShape> {
        let seen = self.read();
        LineShape::all(&seen.board, &|line| seen.display(line), now)
    }

    /// Trunks by name.
    pub fn trunks(&self, now: UnixMicros) -> Vec<TrunkShape> {
        TrunkShape::all(&self.read().board, now)
    }

    // The board is only ever changed whole event by whole event, so one that a panic left behind is at
    // worst an event late: to show it is better than to show nothing.
    fn read(&self) -> RwLockReadGuard<'_, Seen> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Seen> {
        self.seen.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn display(&self, line: &LineName) -> String {
        self.displays.get(line).cloned().unwrap_or_else(|| line.to_string())
    }
}
