//! What can an operator do with a server at work? Look at deliveries and journeys, give orders; an order
//! is durable before its answer. Not here: what may be ordered (`wayfare_runtime::orders`), or who asks
//! (`tokens`).

mod export;
mod look;
mod order;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use wayfare_consent::SuppressionKind;
use wayfare_event::{Map, Timestamp, Value};
use wayfare_executor::Action;
use wayfare_runtime::config::{Scope as May, Settings};
use wayfare_runtime::orders::{self, Done, OrderError, Overdue, Scope, Wanted};
use wayfare_runtime::{Desk, DeskError};
use wayfare_store::Store;

use super::Patience;
use super::problem::Problem;
use super::tokens::Tokens;
use order::{Asked, Known, asked};

/// Bytes of an order's body.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// What every request can reach.
#[derive(Debug)]
struct Admin {
    tokens: Arc<Tokens>,
    desk: Desk,
    patience: Patience,
    settings: Arc<Settings>,
}

/// The routes, as they stand under `/api`.
pub(crate) fn router(
    tokens: Arc<Tokens>,
    desk: Desk,
    patience: Patience,
    settings: Arc<Settings>,
) -> Router {
    let mut router = Router::new()
        .route("/deliveries", get(look::deliveries))
        .route("/deliveries/{id}", get(look::delivery))
        .route("/journeys", get(look::journeys))
        .route("/export", get(export::export));
    for (name, told) in EVERYTHING {
        let all = move |admin, request| order(admin, request, told(()));
        router = router.route(&format!("/{name}"), post(all));
    }
    for (name, told) in DELIVERIES {
        let one = move |admin, Path(id): Path<String>, request| order(admin, request, told(id));
        router = router.route(&format!("/deliveries/{{id}}/{name}"), post(one));
    }
    for (name, told) in ADDRESSES {
        let one =
            move |admin, Path(address): Path<String>, request| order(admin, request, told(address));
        router = router.route(&format!("/addresses/{{address}}/{name}"), post(one));
    }
    for (name, told) in PLACES {
        let journey =
            move |admin, Path(journey): Path<String>, request| order(admin, request, told(journey));
        let block = move |admin, Path((journey, block)): Path<(String, String)>, request| {
            order(admin, request, told(format!("{journey}/{block}")))
        };
        let path = "/journeys/{journey}";
        router = router
            .route(&format!("{path}/{name}"), post(journey))
            .route(&format!("{path}/blocks/{{block}}/{name}"), post(block));
    }
    let enter =
        |admin, Path(journey): Path<String>, request| order(admin, request, Told::Enter(journey));
    router
        .route("/journeys/{journey}/enter", post(enter))
        .fallback(|| async { not_found() })
        .method_not_allowed_fallback(|| async { other_method() })
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(Admin {
            tokens,
            desk,
            patience,
            settings,
        }))
}

/// What a path tells to do.
#[derive(Debug)]
enum Told {
    /// With one place, else with everything.
    Pause(Option<String>),
    /// With one place, else with everything.
    Resume(Option<String>),
    Stop(String),
    Resend(String),
    Resolve(String),
    Suppress(String),
    Unsuppress(String),
    Merge,
    Detach,
    Unblock,
    /// Into a journey.
    Enter(String),
    Erase,
    Readmit,
}

impl Told {
    /// The scope that it needs.
    const fn needs(&self) -> May {
        match self {
            Self::Pause(_) | Self::Resume(_) | Self::Stop(_) => May::Operate,
            Self::Resend(_) | Self::Resolve(_) => May::Operate,
            Self::Suppress(_) | Self::Unsuppress(_) | Self::Enter(_) => May::Operate,
            Self::Merge | Self::Detach | Self::Unblock => May::Admin,
            Self::Erase | Self::Readmit => May::Admin,
        }
    }

    /// The identifiers that the body names, by their keys.
    const fn names(&self) -> &'static [&'static str] {
        match self {
            Self::Pause(_) | Self::Resume(_) | Self::Stop(_) => &[],
            Self::Resend(_) | Self::Resolve(_) => &[],
            Self::Suppress(_) | Self::Unsuppress(_) => &[],
            Self::Merge => &["from", "into"],
            Self::Detach => &["from", "identifier"],
            Self::Unblock | Self::Enter(_) | Self::Erase | Self::Readmit => &["identifier"],
        }
    }
}

/// The last word of a path, and what it tells to do with what the path names.
type Order<Named> = (&'static str, fn(Named) -> Told);

const EVERYTHING: [Order<()>; 7] = [
    ("pause", |()| Told::Pause(None)),
    ("resume", |()| Told::Resume(None)),
    ("merge", |()| Told::Merge),
    ("detach", |()| Told::Detach),
    ("unblock", |()| Told::Unblock),
    ("erase", |()| Told::Erase),
    ("readmit", |()| Told::Readmit),
];

const PLACES: [Order<String>; 3] = [
    ("pause", |place| Told::Pause(Some(place))),
    ("resume", |place| Told::Resume(Some(place))),
    ("stop", Told::Stop),
];

const DELIVERIES: [Order<String>; 2] = [("resend", Told::Resend), ("resolve", Told::Resolve)];

const ADDRESSES: [Order<String>; 2] = [
    ("suppress", Told::Suppress),
    ("unsuppress", Told::Unsuppress),
];

async fn order(State(admin): State<Arc<Admin>>, request: Request, told: Told) -> Response {
    answered(give(&admin, request, told).await)
}

/// Gives an order; what was done, once it is durable.
async fn give(admin: &Admin, request: Request, told: Told) -> Result<Map, Problem> {
    let by = admin.tokens.operator(request.headers(), told.needs())?;
    let asked = asked(request, admin.patience).await?;
    fits(&told, &asked)?;
    let reason = asked.reason.clone();
    let (who, why) = (by.to_string(), reason.clone());
    let given = admin.desk.order((who, why), move |engine| {
        orders::actions(engine, wanted(&told, &asked))
    });
    let given = given.await?;
    if let [action] = &*given.actions
        && let Some(answer) = about_somebody(admin, action, (given.at, &by, &reason)).await?
    {
        return Ok(answer);
    }
    let lines = given.actions.iter().map(|action| {
        let line = orders::line(action, given.at, (&by, &reason), Done::Begun);
        Value::from(line)
    });
    let said = given.actions.iter();
    let said = said.map(|action| orders::said(action, Done::Begun).as_str().into());
    let mut answer = Map::new();
    answer.insert("orders", Value::List(lines.collect()));
    answer.insert("said", Value::List(said.collect()));
    Ok(answer)
}

/// Refuses what an order says that means nothing for it.
fn fits(told: &Told, asked: &Asked) -> Result<(), Problem> {
    let bad = |detail: &str| Err(Problem::bad("invalid_field", detail));
    let names = asked.named.keys().map(|it| &**it);
    if !names.eq(told.names().iter().copied()) {
        return bad(&match told.names() {
            [] => "this order is about no person".to_owned(),
            names => format!(
                "it names `{}`, each as `namespace:value`",
                names.join("`, `")
            ),
        });
    }
    if (asked.known == Some(Known::Delivered)) != matches!(told, Told::Resolve(_)) {
        return bad("`\"as\": \"delivered\"` says what became of a delivery that is resolved");
    }
    if asked.overdue == Overdue::Skipped && !matches!(told, Told::Resume(_)) {
        return bad("`skip_overdue` belongs to `resume`");
    }
    if asked.because.is_some() != matches!(told, Told::Suppress(_)) {
        return bad("`because` says why an address is suppressed: `bounce` or `complaint`");
    }
    let erases = asked.mode.is_some() || asked.through.is_some();
    if erases && !matches!(told, Told::Erase) {
        return bad("`mode` and `through` belong to `erase`");
    }
    Ok(())
}

/// What came of an order about one person by now; nothing for other orders.
async fn about_somebody(
    admin: &Admin,
    action: &Action,
    (at, by, reason): (Timestamp, &str, &str),
) -> Result<Option<Map>, Problem> {
    let looked = action.clone();
    let came = move |store: &mut dyn Store| orders::people::came(store, &looked, at);
    let came = admin.desk.look(came).await?;
    let Some(said) = orders::came(action, &came) else {
        return Ok(None);
    };
    if came.is_refusal(action) {
        return Err(Problem::new(StatusCode::CONFLICT, "refused", said));
    }
    let mut line = orders::line(action, at, (by, reason), Done::Begun);
    orders::add_came(&mut line, &came);
    let mut answer = Map::new();
    answer.insert("orders", Value::List(vec![line.into()]));
    answer.insert("said", Value::List(vec![said.as_str().into()]));
    Ok(Some(answer))
}

fn wanted<'a>(told: &'a Told, asked: &'a Asked) -> Wanted<'a> {
    let name = |key: &str| asked.named.get(key).map_or("", |it| &**it);
    fn scope(place: Option<&String>) -> Scope<'_> {
        place.map_or(Scope::All, |place| Scope::One(place))
    }
    let who = name("identifier");
    match told {
        Told::Pause(place) => Wanted::Pause(scope(place.as_ref())),
        Told::Resume(place) => Wanted::Resume(scope(place.as_ref()), asked.overdue),
        Told::Stop(place) => Wanted::Stop(place),
        Told::Resend(id) => Wanted::Resend(id),
        Told::Resolve(id) => Wanted::Resolve(id),
        Told::Merge => Wanted::Merge {
            from: name("from"),
            into: name("into"),
        },
        Told::Detach => Wanted::Detach {
            identifier: name("identifier"),
            from: name("from"),
        },
        Told::Unblock => Wanted::Unblock(name("identifier")),
        // An order without a `because` was refused.
        Told::Suppress(address) => {
            Wanted::Suppress(address, asked.because.unwrap_or(SuppressionKind::Bounce))
        }
        Told::Unsuppress(address) => Wanted::Unsuppress(address),
        Told::Enter(journey) => Wanted::Enter { journey, who },
        Told::Erase => Wanted::Erase {
            who,
            mode: asked.mode.unwrap_or_default(),
            through: asked.through.as_deref(),
        },
        Told::Readmit => Wanted::Readmit(who),
    }
}

fn answered(answer: Result<Map, Problem>) -> Response {
    match answer {
        Ok(map) => {
            let json = [("content-type", "application/json")];
            (StatusCode::OK, json, map.to_string()).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Order(OrderError::Refused(why)) => {
                Self::new(StatusCode::CONFLICT, "refused", why)
            }
            DeskError::Order(OrderError::Unknown(why)) => {
                Self::new(StatusCode::NOT_FOUND, "not_found", why)
            }
            DeskError::Order(OrderError::Store(_)) | DeskError::Stopped | DeskError::Busy => {
                Self::unavailable(&error.to_string())
            }
        }
    }
}

fn not_found() -> Response {
    let detail = "there are GET /api/deliveries, /api/deliveries/ID, /api/journeys, /api/export, and POST \
                  /api/deliveries/ID/resend, …/resolve, /api/journeys/ID/pause, …/resume, …/stop, \
                  /api/journeys/ID/blocks/BLOCK/…, /api/journeys/ID/enter, /api/pause, /api/resume, \
                  /api/addresses/ADDRESS/suppress, …/unsuppress, /api/merge, /api/detach, /api/unblock, \
                  /api/erase, /api/readmit";
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail).into_response()
}

fn other_method() -> Response {
    let detail = "look with GET, order with POST";
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Problem::new(status, "method_not_allowed", detail).into_response()
}
