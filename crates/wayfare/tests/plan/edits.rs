//! Edits of two journeys, and what the plan says of each.

use crate::{DAILY, LEAD, NUDGE};

const COMMENT: &str = "
2 journeys unchanged
nothing changes for anybody
";

const NARROWED: &str = "
lead: version … becomes …
  requests  before  after  start  stop  change
  send           2      1      0     1       0
  stops    usr_…, `send` at 2026-01-26T10:01:00Z: POST https://crm.example.com/leads
           instead, no entry

1 journey unchanged
0 requests start, 1 stop, 0 change; 0 inside move
";

const WIDENED: &str = "
nudge: version … becomes …
  1 at `settle` of …: finish on their version
  requests  before  after  start  stop  change
  write          2      3      1     0       0
  starts   usr_…, key c4, `write` at 2026-01-26T12:21:00Z: POST https://mail.example.com/nudges/c4
           instead of no entry

1 journey unchanged
1 request start, 0 stop, 0 change; 0 inside move
";

const PAYLOAD: &str = r#"
lead: version … becomes …
  requests  before  after  start  stop  change
  send           2      2      0     0       2
  changes  usr_…, `send` at 2026-01-26T10:00:00Z: body.plan
           "pro" becomes absent
  changes  usr_…, `send` at 2026-01-26T10:01:00Z: body.plan
           "free" becomes absent

1 journey unchanged
0 requests start, 0 stop, 2 change; 0 inside move
"#;

const TARGET: &str = "
nudge: version … becomes …
  1 at `settle` of …: finish on their version
  requests  before  after  start  stop  change
  write          2      2      0     0       2
  changes  usr_…, key c1, `write` at 2026-01-26T11:02:00Z: target
           POST https://mail.example.com/nudges/c1 becomes POST https://mail.example.com/carts/c1
  changes  usr_…, key c2, `write` at 2026-01-26T12:05:00Z: target
           POST https://mail.example.com/nudges/c2 becomes POST https://mail.example.com/carts/c2

1 journey unchanged
0 requests start, 0 stop, 2 change; 0 inside move
";

const WAIT: &str = "
nudge: version … becomes …
  1 at `settle` of …: finish on their version
  requests  before  after  start  stop  change
  write          2      2      0     0       2
  changes  usr_…, key c1, `write` at 2026-01-26T11:02:00Z: time
           2026-01-26T11:02:00Z becomes 2026-01-26T12:02:00Z
  changes  usr_…, key c2, `write` at 2026-01-26T12:05:00Z: time
           2026-01-26T12:05:00Z becomes 2026-01-26T13:05:00Z

1 journey unchanged
0 requests start, 0 stop, 2 change; 0 inside move
";

const DECLINED: &str = "
lead: version … becomes …
  requests  before  after  start  stop  change
  send           2      1      0     1       0
  stops    usr_…, `send` at 2026-01-26T10:01:00Z: POST https://crm.example.com/leads
           instead, declined at `send`: properties.plan == \"pro\"

1 journey unchanged
0 requests start, 1 stop, 0 change; 0 inside move
";

const RENAMED: &str = "
nudge: version … becomes …
  1 at `settle` of …: finish on their version
  requests  before  after  start  stop  change
  write          2      2      0     0       0

1 journey unchanged
nothing changes for anybody
";

const MIGRATED: &str = "
nudge: version … becomes …
  1 at `settle` of …: go on in the new version at `rest`
  requests  before  after  start  stop  change
  write          2      2      0     0       0

1 journey unchanged
0 requests start, 0 stop, 0 change; 1 inside move
";

const STRANDED: &str = "
nudge: version … becomes …
  1 at `settle` of …: cannot stay: publishing is refused, see below
  requests  before  after  start  stop  change
  write          2      2      0     0       0

1 journey unchanged
publishing is refused: journey `nudge` has 1 inside block `settle` of version …, and its `migrate:` names no block for them; add `settle: BLOCK` to its `map:`
0 requests start, 0 stop, 0 change; 0 inside move
";

const REMOVED: &str = "
nudge: its file is gone, version … takes no entries
  1 at `settle` of …: finish on their version
  requests  before  after  start  stop  change
  write          2      0      0     2       0
  stops    usr_…, key c1, `write` at 2026-01-26T11:02:00Z: POST https://mail.example.com/nudges/c1
           instead, no entry
  stops    usr_…, key c2, `write` at 2026-01-26T12:05:00Z: POST https://mail.example.com/nudges/c2
           instead, no entry

1 journey unchanged
0 requests start, 2 stop, 0 change; 0 inside move
";

const NEW: &str = "
daily: new, version …
  requests  before  after  start  stop  change
  report         0      2      2     0       0
  starts   usr_…, `report` at 2026-01-26T11:00:00Z: PUT https://crm.example.com/people/usr_…
           instead of no entry
  starts   usr_…, `report` at 2026-01-26T11:00:00Z: PUT https://crm.example.com/people/usr_…
           instead of no entry

2 journeys unchanged
2 requests start, 0 stop, 0 change; 0 inside move
";

/// An edit of the journeys, and what the plan says of it before what it was played over.
pub(crate) struct Case {
    pub(crate) edit: &'static str,
    pub(crate) files: Vec<(&'static str, String)>,
    pub(crate) says: &'static str,
    pub(crate) status: i32,
}

fn case(
    edit: &'static str,
    files: impl IntoIterator<Item = (&'static str, String)>,
    (says, status): (&'static str, i32),
) -> Case {
    Case {
        edit,
        files: files.into_iter().collect(),
        says,
        status,
    }
}

/// Both journeys, with something in one of them written differently.
fn with(from: &str, to: &str) -> [(&'static str, String); 2] {
    assert!(LEAD.contains(from) != NUDGE.contains(from), "{from}");
    let edited = |file: &str| file.replace(from, to);
    [("lead.yaml", edited(LEAD)), ("nudge.yaml", edited(NUDGE))]
}

fn renamed(migrate: &str) -> [(&'static str, String); 2] {
    let [lead, (name, nudge)] = with("settle: { wait", "rest: { wait");
    [lead, (name, format!("{nudge}{migrate}"))]
}

pub(crate) fn cases() -> Vec<Case> {
    let same = || with("journey: lead", "# A lead.\njourney: lead");
    let [lead, _] = same();
    let crm = "POST\n      url: https://crm";
    let only_pro = "POST\n      when: properties.plan == \"pro\"\n      url: https://crm";
    let daily = ("daily.yaml", DAILY.to_owned());
    let taken_over = renamed("migrate: { from: any, map: { settle: rest } }\n");
    let stranded = renamed("migrate: { from: any, map: {} }\n");
    vec![
        case("a comment", same(), (COMMENT, 0)),
        case(
            "a condition narrowed",
            with("score > 10", "score > 30"),
            (NARROWED, 1),
        ),
        case(
            "a condition widened",
            with("total > 0", "total >= 0"),
            (WIDENED, 1),
        ),
        case(
            "a payload changed",
            with("{ plan:", "{ tier:"),
            (PAYLOAD, 1),
        ),
        case("a target changed", with("/nudges/", "/carts/"), (TARGET, 1)),
        case(
            "a wait made longer",
            with("wait: 1h", "wait: 2h"),
            (WAIT, 1),
        ),
        case("a last condition", with(crm, only_pro), (DECLINED, 1)),
        case("a block renamed", renamed(""), (RENAMED, 0)),
        case("a block renamed with its people", taken_over, (MIGRATED, 1)),
        case(
            "a block renamed without a place for its people",
            stranded,
            (STRANDED, 1),
        ),
        case("a journey removed", [lead], (REMOVED, 1)),
        case("a new journey", same().into_iter().chain([daily]), (NEW, 1)),
    ]
}
