//! What may have become of one delivery? Its story, retold from what was ordered and what came back,
//! by the promises of `docs/delivery.md` alone.

use crate::facts::{Checked, DAY, Delivery, Ended, Order, SECOND, holds};

/// The waits before further attempts, in seconds; the last one repeats.
const WAITS: [i64; 5] = [1, 5, 30, 120, 300];
/// How long a delivery may wait for us.
const QUEUE_MAX: i64 = DAY;
const RULE: &str = "a delivery stands where its attempts put it";

/// What is told so far.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and any of them can hold with any other"
)]
pub(crate) struct Story {
    once: bool,
    deletes: bool,
    window_us: i64,
    pub(crate) attempts: u32,
    /// Attempts before it was last ordered again.
    pub(crate) earlier: u32,
    /// Whether it was final before.
    pub(crate) came_back: bool,
    /// Since when it is owed: since it was decided, or ordered again.
    owed: i64,
    /// When the first attempt since then was released.
    first: Option<i64>,
    /// How long it may have waited for us since then, at most.
    waited: i64,
    /// When it was to leave next.
    due: i64,
    /// How each attempt ended.
    pub(crate) ended: Vec<Option<Ended>>,
    now: Now,
    /// Whether its person was erased.
    is_erased: bool,
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
    /// An operator says that it arrived, or that it does not leave.
    Ordered(Order),
    /// Its time had run out.
    Expired,
    /// Consent was gone, or its person.
    Withheld,
}

impl Story {
    pub(crate) fn new(row: &Delivery) -> Self {
        Self {
            once: row.once,
            deletes: row.request.method == "DELETE",
            window_us: row.window_us,
            attempts: 0,
            earlier: 0,
            came_back: false,
            owed: row.decided,
            first: None,
            waited: 0,
            due: row.decided,
            ended: Vec::new(),
            now: Now::Planned { from: row.decided },
            is_erased: false,
        }
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.now == Now::Armed
    }

    const fn waits(&self) -> bool {
        matches!(self.now, Now::Planned { .. } | Now::Held { .. })
    }

    /// It could leave at `at`, and was released or not.
    pub(crate) fn ready(
        &mut self,
        at: i64,
        is_released: bool,
        (is_allowed, is_paused): (bool, bool),
    ) -> Checked {
        if !is_released {
            if self.waits() {
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
        holds("what is paused sends nothing", !is_paused, || {
            "released while paused".to_owned()
        })?;
        holds("an attempt at a time", self.waits(), || {
            format!("released while {:?}", self.now)
        })?;
        let waited = self.waited + (at - self.due).max(0);
        let is_timely = match self.first {
            None => at - self.owed <= QUEUE_MAX,
            Some(first) => at - first - waited <= self.window_us,
        };
        let is_timely = is_timely && self.made() < self.attempts_max();
        holds("attempts and window are bounded", is_timely, || {
            format!("released once more at {at}, {self:?}")
        })?;
        self.waited = if self.first.is_some() { waited } else { 0 };
        self.attempts += 1;
        self.first = self.first.or(Some(at));
        self.ended.push(None);
        self.now = Now::Armed;
        Ok(())
    }

    /// Its person was erased: it does not leave any more.
    pub(crate) const fn erase(&mut self) {
        self.is_erased = true;
    }

    pub(crate) fn barred(&mut self) {
        if self.waits() {
            self.now = Now::Barred;
        }
    }

    /// An operator orders something; where that cannot be, nothing follows.
    pub(crate) fn ordered(&mut self, order: Order, at: i64) {
        let is_unknown = self.now == Now::Over(Ended::NoStatus);
        let is_open = match self.now {
            Now::Over(ended) => !self.was_taken(ended),
            Now::Expired => true,
            Now::Planned { .. }
            | Now::Armed
            | Now::Held { .. }
            | Now::Repeats { .. }
            | Now::Barred
            | Now::Ordered(_)
            | Now::Withheld => false,
        };
        match order {
            Order::Resend if is_open => {
                self.came_back = true;
                self.owed = at;
                self.due = at;
                self.first = None;
                self.waited = 0;
                self.earlier = self.attempts;
                self.now = Now::Planned { from: at };
            }
            Order::Resolve if is_unknown => self.now = Now::Ordered(order),
            Order::Withhold if self.waits() => self.now = Now::Ordered(order),
            Order::Resend | Order::Resolve | Order::Withhold => {}
        }
    }

    /// An attempt ended; of one that nobody waits for nothing follows.
    pub(crate) fn finished(&mut self, attempt: u32, ended: Ended, at: i64) {
        let is_news = ended != Ended::NoStatus;
        let was_unknown = self.ended.last() == Some(&Some(Ended::NoStatus));
        let is_waited_for = match self.now {
            Now::Armed => true,
            Now::Over(last) => last == Ended::NoStatus && is_news,
            Now::Planned { .. } | Now::Held { .. } | Now::Repeats { .. } => was_unknown && is_news,
            Now::Barred | Now::Ordered(_) | Now::Expired | Now::Withheld => false,
        };
        if !is_waited_for || attempt != self.attempts {
            return;
        }
        if let Some(last) = self.ended.last_mut() {
            *last = Some(ended);
        }
        self.came_back |= matches!(self.now, Now::Over(_));
        self.now = if self.may_repeat(ended) {
            Now::Repeats { at, ended }
        } else {
            Now::Over(ended)
        };
    }

    /// Whether the same request may leave again after an attempt that ended like this.
    pub(crate) const fn may_repeat(&self, ended: Ended) -> bool {
        match ended {
            Ended::NotSent
            | Ended::Status { status: 429, .. }
            | Ended::Status {
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

    /// Attempts since it is owed.
    const fn made(&self) -> u32 {
        self.attempts - self.earlier
    }

    /// Whether a durable row says what the story says.
    pub(crate) fn fits(&mut self, row: &Delivery, is_paused: bool) -> Checked {
        let wrong = || format!("{} {:?}, told {self:?}", row.state, row.reason);
        holds(RULE, row.attempts == self.attempts, wrong)?;
        let reason = row.reason.as_deref();
        let may_end = self.waits() || matches!(self.now, Now::Repeats { .. } | Now::Withheld);
        if self.is_erased && may_end && (row.state.as_str(), reason) == ("withheld", Some("erased"))
        {
            self.now = Now::Withheld;
            return Ok(());
        }
        let is = |state: &str| row.state == state;
        let fits = match self.now {
            Now::Planned { from } => is("planned") && row.due.is_some_and(|due| due >= from),
            Now::Armed => is("armed"),
            Now::Barred => is("withheld") && reason == Some("policy"),
            Now::Ordered(Order::Withhold) => is("withheld") && reason == Some("operator"),
            Now::Ordered(_) => is("delivered") && reason == Some("resolved"),
            Now::Expired => is("expired"),
            Now::Withheld => is("withheld") && reason == Some("consent"),
            Now::Over(ended) => self.is_over(row, ended),
            Now::Held { .. } => return self.fits_held(row, is_paused),
            Now::Repeats { at, ended } => return self.fits_repeat(row, (at, ended)),
        };
        holds(RULE, fits, wrong)
    }

    /// It could have left and did not: it is paused, its time had run out, or consent was gone.
    fn fits_held(&mut self, row: &Delivery, is_paused_now: bool) -> Checked {
        let Now::Held {
            at,
            is_allowed,
            is_paused,
        } = self.now
        else {
            return Ok(());
        };
        let waited = self.waited + (at - self.due).max(0);
        let fits = match (row.state.as_str(), row.reason.as_deref()) {
            ("planned", _) => is_paused || is_paused_now,
            ("withheld", Some("consent")) => {
                self.now = Now::Withheld;
                !is_allowed
            }
            ("expired", Some("queued")) => {
                let since = self.first.map_or(at - self.owed, |_| waited);
                self.now = Now::Expired;
                since > QUEUE_MAX
            }
            ("expired", Some("window")) => {
                self.now = Now::Expired;
                self.first.is_some_and(|first| at - first > self.window_us)
            }
            _ => false,
        };
        holds(RULE, fits, || {
            format!("{} {:?} at {at}, told {self:?}", row.state, row.reason)
        })
    }

    /// There may be another attempt: there is, in time, or it would be one too many or too late.
    fn fits_repeat(&mut self, row: &Delivery, (at, ended): (i64, Ended)) -> Checked {
        let asked = match ended {
            Ended::Status { retry_after, .. } => retry_after.unwrap_or_default(),
            Ended::NotSent | Ended::NoStatus => 0,
        };
        let end = self.first.unwrap_or(at) + self.window_us;
        let fits = if row.state == "planned" {
            let due = row.due.unwrap_or_default();
            self.due = due;
            self.now = Now::Planned { from: due };
            let is_due = due >= at + self.wait(8, asked) && due <= at + self.wait(12, asked);
            is_due && due <= end + self.waited && self.made() < self.attempts_max()
        } else {
            self.now = Now::Over(ended);
            let is_late = at + self.wait(12, asked) > end;
            (is_late || self.made() >= self.attempts_max()) && self.is_over(row, ended)
        };
        holds(RULE, fits, || {
            format!("{row:?} after {ended:?} at {at}, told {self:?}")
        })
    }

    /// The wait before the next attempt, in tenths of what it is without jitter; at least as long
    /// as the receiver asked.
    fn wait(&self, tenths: i64, asked: i64) -> i64 {
        let made = usize::try_from(self.made()).unwrap().saturating_sub(1);
        let seconds = WAITS.get(made).or(WAITS.last()).unwrap();
        (seconds * SECOND * tenths / 10).max(asked * SECOND)
    }

    /// Whether the receiver said that it took it, or that there was nothing left to take away.
    fn was_taken(&self, ended: Ended) -> bool {
        matches!(ended, Ended::Status { status, .. }
            if (200..300).contains(&status) || (self.deletes && matches!(status, 404 | 410)))
    }

    /// Whether a row says that the last attempt ended like this.
    fn is_over(&self, row: &Delivery, ended: Ended) -> bool {
        let (state, own) = match ended {
            Ended::Status { status, .. } if self.was_taken(ended) => ("delivered", Some(status)),
            Ended::Status { status, .. } => ("rejected", Some(status)),
            Ended::NotSent => ("expired", None),
            Ended::NoStatus => ("unknown", None),
        };
        row.state == state && row.status == own
    }
}
