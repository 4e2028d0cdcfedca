//! What does judging a condition cost, against the `cel` crate? The same conditions over the same
//! values, both read before and asked many times; cel with one context that is built once. What both
//! say is compared first.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use cel::objects::Key;
use cel::{Context, Env, Program};
use wayfare_event::{Map, Timestamp, Value};
use wayfare_journey::expression::{Expression, Names, Scope};

use crate::measure::{each_ns, timed};
use crate::say;

/// Evaluations of each condition in a round.
const EVALUATIONS: u32 = 2_000;
/// Rounds, each with both. They are short and the fastest counts: whatever else the machine does can
/// only make one slower.
const ROUNDS: u32 = 50;

/// Typical conditions. cel makes a pattern anew for each evaluation, so `matches` is left out: it
/// would decide the sum alone.
const CONDITIONS: [&str; 14] = [
    "properties.currentPlan != properties.previousPlan",
    r#"properties.currentPlan in ["pro", "business"]"#,
    r#"profile.plan == "pro""#,
    "properties.amount > 100",
    "properties.amount >= 99.5",
    r#"profile.plan == "pro" && profile.visits > 3"#,
    r#"profile.vip || properties.amount > 140 && properties.currency == "EUR""#,
    "has(profile.phone) && !profile.optedOut",
    r#"profile.email.endsWith("@example.com")"#,
    r#""vip" in profile.tags"#,
    "properties.price * properties.quantity + properties.shipping > 100",
    "profile.visits % 10 == 0",
    r#"size(properties.items) >= 2 && properties.items.exists(i, i.sku == "mug" && i.price > 10)"#,
    r#"event.name == "Order Completed" && (profile.visits > 100 ? profile.plan == "pro" : true)"#,
];

/// Two people and what they did, so that conditions both hold and do not.
const PEOPLE: [[&str; 2]; 2] = [
    [
        r#"{"profileId":"usr_1","email":"ada@example.com","firstName":"Ada","lastName":"Lovelace",
            "plan":"pro","visits":40,"vip":false,"phone":"+4930123456","optedOut":false,
            "tags":["beta","vip"],"country":"DE","timezone":"Europe/Berlin"}"#,
        r#"{"name":"Order Completed","type":"track","messageId":"m1","context":{},
            "properties":{"orderId":"o1","amount":149.5,"currency":"EUR","currentPlan":"business",
            "previousPlan":"pro","price":40,"quantity":3,"shipping":5,
            "items":[{"sku":"cup","price":8},{"sku":"mug","price":12}]}}"#,
    ],
    [
        r#"{"profileId":"usr_2","email":"bo@mail.example","firstName":"Bo","lastName":"Diddley",
            "plan":"free","visits":3,"vip":false,"optedOut":true,
            "tags":["beta"],"country":"US","timezone":"America/Chicago"}"#,
        r#"{"name":"Order Placed","type":"track","messageId":"m2","context":{},
            "properties":{"orderId":"o2","amount":20,"currency":"USD","currentPlan":"free",
            "previousPlan":"free","price":5,"quantity":4,"shipping":0,
            "items":[{"sku":"mug","price":9}]}}"#,
    ],
];

/// A condition, as each of the two has read it.
struct Condition {
    source: &'static str,
    ours: Expression,
    cel: Program,
}

/// What a person is, for each of the two.
struct Person {
    profile: Map,
    event: Map,
    cel: Context<'static, 'static>,
}

/// Measures and prints it.
pub(crate) fn measure() -> anyhow::Result<()> {
    let library = Arc::new(Env::stdlib());
    let conditions = conditions(&library)?;
    let people = PEOPLE.map(|[profile, event]| Person::read(profile, event, &library));
    let people = people.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    same_answers(&conditions, &people)?;
    let count = EVALUATIONS * u32::try_from(people.len())?;
    let (mut ours_total, mut cel_total) = (0.0, 0.0);
    let mut least = f64::INFINITY;
    for condition in &conditions {
        let (mut ours, mut cel) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..ROUNDS {
            ours = ours.min(each_ns(count, by_us(condition, &people)));
            cel = cel.min(each_ns(count, by_cel(condition, &people)));
        }
        ours_total += ours;
        cel_total += cel;
        let ratio = cel / ours;
        least = least.min(ratio);
        let source = condition.source;
        say(&format!(
            "{ours:>6.0} ns  cel {cel:>6.0} ns  {ratio:>6.1}  {source}"
        ))?;
    }
    let each = f64::from(u32::try_from(conditions.len())?);
    let second = |total_ns: f64| 1e9 * each / total_ns;
    say(&format!(
        "expressions  {:>9.0} evaluations a second",
        second(ours_total)
    ))?;
    say(&format!(
        "cel          {:>9.0} evaluations a second",
        second(cel_total)
    ))?;
    say(&format!(
        "expressions / cel {:>4.1}, {least:.1} for the condition where it is least",
        cel_total / ours_total
    ))
}

fn conditions(library: &Arc<Env>) -> anyhow::Result<Vec<Condition>> {
    let names = Names {
        event: true,
        ..Names::default()
    };
    let conditions = CONDITIONS.iter().map(|source| {
        Ok(Condition {
            source,
            ours: Expression::parse(source, &names)?,
            cel: library.compile(source).with_context(|| source.to_owned())?,
        })
    });
    conditions.collect()
}

impl Person {
    fn read(profile: &str, event: &str, library: &Arc<Env>) -> anyhow::Result<Self> {
        let profile = map(profile)?;
        let event = map(event)?;
        let properties = event.get("properties").context("an event has properties")?;
        let mut cel = Context::with_env(library.clone());
        cel.add_variable_from_value("properties", to_cel(properties)?);
        cel.add_variable_from_value("profile", to_cel(&profile.clone().into())?);
        cel.add_variable_from_value("event", to_cel(&event.clone().into())?);
        Ok(Self {
            profile,
            event,
            cel,
        })
    }

    fn with_scope<T>(&self, run: impl FnOnce(&Scope<'_>) -> T) -> T {
        let journey = Map::new();
        run(&Scope {
            event: Some(&self.event),
            trigger: Some(&self.event),
            change: None,
            delivery: None,
            profile: &self.profile,
            account: None,
            journey: &journey,
            entry: None,
            named: &[],
            may_ask: &|_| true,
            choice: &|_| "unknown",
            seen: &|_| None,
            now: Timestamp::EPOCH,
        })
    }
}

fn map(text: &str) -> anyhow::Result<Map> {
    match Value::parse(text) {
        Ok(Value::Map(map)) => Ok(map),
        Ok(other) => bail!("`{other}` is no object"),
        Err(error) => bail!("{error}"),
    }
}

fn to_cel(value: &Value) -> anyhow::Result<cel::Value> {
    Ok(match value {
        Value::Null => cel::Value::Null,
        Value::Bool(it) => cel::Value::Bool(*it),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => cel::Value::Int(integer),
            None => cel::Value::Float(number.to_string().parse()?),
        },
        Value::Text(text) => cel::Value::from(&**text),
        Value::List(items) => {
            let items = items.iter().map(to_cel).collect::<anyhow::Result<_>>()?;
            cel::Value::List(Arc::new(items))
        }
        Value::Map(map) => {
            let entries = map.iter();
            let entries =
                entries.map(|(key, value)| Ok((Key::from(key.to_string()), to_cel(value)?)));
            let map = Arc::new(entries.collect::<anyhow::Result<_>>()?);
            cel::Value::Map(cel::objects::Map { map })
        }
    })
}

/// Both say the same, and each condition is worth asking about.
fn same_answers(conditions: &[Condition], people: &[Person]) -> anyhow::Result<()> {
    for condition in conditions {
        let source = condition.source;
        let mut holds = Vec::new();
        for person in people {
            let ours = person.with_scope(|scope| condition.ours.holds(scope));
            let cel = condition.cel.execute(&person.cel);
            let cel = cel.with_context(|| source.to_owned())?;
            ensure!(
                cel == cel::Value::Bool(ours),
                "`{source}`: ours says {ours}, cel says {cel:?}"
            );
            holds.push(ours);
        }
        ensure!(
            holds.contains(&true),
            "`{source}` holds for nobody, adapt the people"
        );
    }
    Ok(())
}

fn by_us(condition: &Condition, people: &[Person]) -> Duration {
    let ((), took) = timed(|| {
        for person in people {
            person.with_scope(|scope| {
                for _ in 0..EVALUATIONS {
                    black_box(black_box(&condition.ours).holds(black_box(scope)));
                }
            });
        }
    });
    took
}

fn by_cel(condition: &Condition, people: &[Person]) -> Duration {
    let ((), took) = timed(|| {
        for person in people {
            for _ in 0..EVALUATIONS {
                let value = black_box(&condition.cel).execute(black_box(&person.cel));
                drop(black_box(value));
            }
        }
    });
    took
}
