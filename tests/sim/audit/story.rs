//! What may have become of one delivery? Its story, retold from what was ordered and what came back,
//! by the promises of `docs/delivery.md` alone.

use crate::facts::{Checked, DAY, Delivery, Ended, SECOND, holds};

/// The waits before further attempts, in seconds; the last one repeats.
const WAITS: [i64; 5] = [1, 5, 30, 120, 300];
/// How long a delivery may wait for its first attempt.
const QUEUE_MAX: i64 = DAY;

/// What is told so far.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    decided: i64,
    once: bool,
    deletes: bool,
    window_us: i64,
    pub(crate) attempts: u32,
    /// When the first attempt was released.
    first: Option<i64>,
    /// How each attempt ended.
    pub(crate) ended: Vec<Option<Ended>>,
    now: Now,
}

/// Where it must stand.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Now {
    /// It waits, not to leave before this instant.
    Planned { from: i64 },
    /// An attempt is on its way.
    Armed,
    /// It was held back or let wait when it could have left.
    Held {
        at: i64,
        is_allowed: bool,
        is_paused: bool,
    },
    /// An attempt ended so that there may be another.
    Repeats { at: i64, ended: Ended },
    /// An attempt ended so that there is no other.
    Over(Ended),
    /// Its address is refused.
    Barred,
    /// Its time had run out, or consent was gone.
    Closed,
}

impl Story {
    pub(crate) fn new(row: &Delivery) -> Self {
        Self {
            decided: row.decided,
            once: row.once,
            deletes: row.request.method == "DELETE",
            window_us: row.window_us,
            attempts: 0,
            first: None,
            ended: Vec::new(),
            now: Now::Planned { from: row.decided },
        }
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.now == Now::Armed
    }

    /// It could leave at `at`, and was released or not.
    pub(crate) fn ready(
        &mut self,
        at: i64,
        is_released: bool,
        (is_allowed, is_paused): (bool, bool),
    ) -> Checked {
        let waits = matches!(self.now, Now::Planned { .. } | Now::Held { .. });
        if !is_released {
            if waits {
                self.now = Now::Held {
                    at,
                    is_allowed,
                    is_paused,
                };
            }
            return Ok(());
        }
        holds("consent before every attempt", is_allowed, || {
            format!("attempt {} was released against it", self.attempts + 1)
        })?;
        holds("a paused journey sends nothing", !is_paused, || {
            "released in a paused journey".to_owned()
        })?;
        holds("an attempt at a time", waits, || {
            format!("released while {:?}", self.now)
        })?;
        let is_timely = !self.is_overdue(at) && self.attempts < self.attempts_max();
        holds("attempts and window are bounded", is_timely, || {
            format!("released for the {}th time, {self:?}", self.attempts + 1)
        })?;
        self.attempts += 1;
        self.first = self.first.or(Some(at));
        self.ended.push(None);
        self.now = Now::Armed;
        Ok(())
    }

    pub(crate) fn barred(&mut self) {
        if matches!(self.now, Now::Planned { .. } | Now::Held { .. }) {
            self.now = Now::Barred;
        }
    }

    /// An attempt ended; of one that nobody waits for nothing follows.
    pub(crate) fn finished(&mut self, attempt: u32, ended: Ended, at: i64) {
        let is_waited_for = match self.now {
            Now::Armed => true,
            Now::Over(Ended::NoStatus) => ended != Ended::NoStatus,
            Now::Planned { .. }
            | Now::Held { .. }
            | Now::Repeats { .. }
            | Now::Over(_)
            | Now::Barred
            | Now::Closed => false,
        };
        if !is_waited_for || attempt != self.attempts {
            return;
        }
        if let Some(last) = self.ended.last_mut() {
            *last = Some(ended);
        }
        self.now = if self.may_repeat(ended) {
            Now::Repeats { at, ended }
        } else {
            Now::Over(ended)
        };
    }

    /// Whether the same request may leave again after an attempt that ended like this.
    pub(crate) fn may_repeat(&self, ended: Ended) -> bool {
        match ended {
            Ended::NotSent | Ended::Status { status: 429, .. } => true,
            Ended::Status {
                status: 503,
                retry_after: Some(_),
            } => true,
            Ended::Status {
                status: 500 | 502 | 503 | 504,
                ..
            }
            | Ended::NoStatus => !self.once,
            Ended::Status { .. } => false,
        }
    }

    const fn attempts_max(&self) -> u32 {
        if self.once { 5 } else { 8 }
    }

    fn is_overdue(&self, at: i64) -> bool {
        match self.first {
            Some(first) => at - first > self.window_us,
            None => at - self.decided > QUEUE_MAX,
        }
    }

    /// Whether a durable row says what the story says.
    pub(crate) fn fits(&mut self, row: &Delivery, is_paused: bool) -> Checked {
        let rule = "a delivery stands where its attempts put it";
        let wrong = || format!("{} {:?}, told {self:?}", row.state, row.reason);
        holds(rule, row.attempts == self.attempts, wrong)?;
        let reason = row.reason.as_deref();
        let is = |state: &str| row.state == state;
        let fits = match self.now {
            Now::Planned { from } => is("planned") && row.due.is_some_and(|due| due >= from),
            Now::Armed => is("armed"),
            Now::Barred => is("withheld") && reason == Some("policy"),
            Now::Closed => is("expired") || is("withheld"),
            Now::Over(ended) => self.is_over(row, ended),
            Now::Held {
                at,
                is_allowed,
                is_paused: was_paused,
            } => {
                let expired = if self.attempts == 0 {
                    "queued"
                } else {
                    "window"
                };
                let fits = if self.is_overdue(at) {
                    is("expired") && reason == Some(expired)
                } else if was_paused || is_paused {
                    is("planned") || (is("withheld") && !is_allowed)
                } else {
                    is("withheld") && reason == Some("consent") && !is_allowed
                };
                if !is("planned") {
                    self.now = Now::Closed;
                }
                return holds(rule, fits, || {
                    format!("{} {reason:?}, told {self:?}", row.state)
                });
            }
            Now::Repeats { at, ended } if is("planned") => {
                let least = at + self.wait(8, 0);
                let due = row.due.unwrap_or_default();
                let window = self.first.unwrap_or(at) + self.window_us;
                let fits = due >= least && due <= window && self.attempts < self.attempts_max();
                holds(rule, fits, || {
                    format!("again at {due} after {ended:?} at {at}, told {self:?}")
                })?;
                self.now = Now::Planned { from: due };
                return Ok(());
            }
            Now::Repeats { at, ended } => {
                let asked = match ended {
                    Ended::Status { retry_after, .. } => retry_after.unwrap_or_default(),
                    Ended::NotSent | Ended::NoStatus => 0,
                };
                let latest = at + self.wait(12, asked);
                let is_late = latest > self.first.unwrap_or(at) + self.window_us;
                let gave_up = is_late || self.attempts >= self.attempts_max();
                let fits = gave_up && self.is_over(row, ended);
                self.now = Now::Over(ended);
                return holds(rule, fits, || {
                    format!("{} {reason:?}, told {self:?}", row.state)
                });
            }
        };
        holds(rule, fits, wrong)
    }

    /// The wait before the next attempt, in tenths of what it is without jitter; at least as long
    /// as the receiver asked.
    fn wait(&self, tenths: i64, asked: i64) -> i64 {
        let made = usize::try_from(self.attempts).unwrap().saturating_sub(1);
        let seconds = WAITS.get(made).or(WAITS.last()).unwrap();
        (seconds * SECOND * tenths / 10).max(asked * SECOND)
    }

    /// Whether a row says that the last attempt ended like this.
    fn is_over(&self, row: &Delivery, ended: Ended) -> bool {
        let (state, own) = match ended {
            Ended::Status { status, .. } => {
                let gone = self.deletes && matches!(status, 404 | 410);
                let taken = (200..300).contains(&status) || gone;
                let state = if taken { "delivered" } else { "rejected" };
                (state, Some(status))
            }
            Ended::NotSent => ("expired", None),
            Ended::NoStatus => ("unknown", None),
        };
        row.state == state && row.status == own
    }
}
