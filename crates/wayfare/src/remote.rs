//! How does a command speak to a server at work? Over its admin API, with a token from the environment.
//! Not here: what the API offers (`http/admin.rs`).

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, Url, redirect};
use tokio::runtime::Runtime;
use wayfare_event::{Map, Value};
use wayfare_store::StoreError;
use wayfare_webhook::SecretValue;

use crate::commands::WrongInput;
use crate::{environment, lines};

/// How long a connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long an answer may take: a look goes through everybody.
const ANSWER_MAX: Duration = Duration::from_secs(300);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A server instead of a state directory.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// Ask a running server instead, such as `http://127.0.0.1:8080`; `--state` counts for nothing then,
    /// and who asks is the token's name.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The environment variable that holds the token for it.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "WAYFARE_ADMIN_TOKEN",
        requires = "server"
    )]
    token_env: String,
}

impl Remote {
    /// The server that is named.
    ///
    /// # Errors
    ///
    /// When what is named is none.
    pub(crate) fn server(&self) -> anyhow::Result<Option<Server>> {
        let server = self.server.as_deref();
        server.map(|url| self.at(url)).transpose()
    }

    fn at(&self, text: &str) -> anyhow::Result<Server> {
        let url = Url::parse(text).ok();
        // Credentials in a URL would be shown wherever the URL is.
        let is_plain = |url: &Url| url.username().is_empty() && url.password().is_none();
        let url = url.filter(|it| matches!(it.scheme(), "http" | "https") && is_plain(it));
        let Some(base) = url else {
            let message = format!("`{text}` is no server; write one such as http://127.0.0.1:8080");
            return Err(WrongInput(message).into());
        };
        let builder = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_MAX)
            .timeout(ANSWER_MAX);
        let builder = if base.scheme() == "http" {
            // No roots to trust: nothing to load.
            builder.tls_certs_only([])
        } else {
            builder
        };
        Ok(Server {
            base,
            token: environment::token(&self.token_env),
            token_env: self.token_env.clone(),
            client: builder.build().context("cannot speak HTTP")?,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .context("cannot start the async runtime")?,
        })
    }
}

/// A server at work.
pub(crate) struct Server {
    base: Url,
    token: Option<SecretValue>,
    token_env: String,
    client: reqwest::Client,
    runtime: Runtime,
}

impl Server {
    /// What the server shows under `/api` and this path.
    ///
    /// # Errors
    ///
    /// When it refuses, or does not answer.
    pub(crate) fn get(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Map> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.ask(self.client.request(Method::GET, url))
    }

    /// What the server says to an order.
    ///
    /// # Errors
    ///
    /// When it refuses, or does not answer; then the order may stand all the same.
    pub(crate) fn post(&self, path: &[&str], body: &Map) -> anyhow::Result<Map> {
        let request = self.client.request(Method::POST, self.url(path)?);
        let request = request.header(CONTENT_TYPE, "application/json");
        let answer = self.ask(request.body(body.to_string()));
        answer.map_err(|error| {
            if error.is::<WrongInput>() {
                return error;
            }
            error.context("whether the order stands is not known: look before it is given again")
        })
    }

    fn url(&self, path: &[&str]) -> anyhow::Result<Url> {
        let mut url = self.base.clone();
        url.set_query(None);
        url.set_fragment(None);
        let Ok(mut segments) = url.path_segments_mut() else {
            anyhow::bail!("`{}` is no server", self.base);
        };
        segments.pop_if_empty().push("api").extend(path);
        drop(segments);
        Ok(url)
    }

    fn ask(&self, request: RequestBuilder) -> anyhow::Result<Map> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.as_str()),
            None => request,
        };
        let (status, text) = self
            .runtime
            .block_on(answer(request))
            .with_context(|| format!("no answer from `{}`", self.base))?;
        let body = match Value::parse(&text) {
            Ok(Value::Map(map)) => map,
            Ok(_) | Err(_) => Map::new(),
        };
        if status.is_success() && !body.is_empty() {
            return Ok(body);
        }
        let Some(detail) = body.get("detail").and_then(Value::as_text) else {
            anyhow::bail!(
                "`{}` answers {status}, and not as a server of this version does",
                self.base
            );
        };
        if status.is_server_error() {
            anyhow::bail!("`{}` answers {status}: {detail}", self.base);
        }
        let hint = if status == reqwest::StatusCode::UNAUTHORIZED {
            format!("; the token is read from `{}`", self.token_env)
        } else {
            String::new()
        };
        Err(WrongInput(format!("{detail}{hint}")).into())
    }
}

async fn answer(request: RequestBuilder) -> anyhow::Result<(reqwest::StatusCode, String)> {
    let mut answer = request.send().await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        bytes.extend_from_slice(&chunk);
        anyhow::ensure!(
            bytes.len() <= ANSWER_BYTES_MAX,
            "the answer has more than {ANSWER_BYTES_MAX} bytes"
        );
    }
    Ok((
        answer.status(),
        String::from_utf8_lossy(&bytes).into_owned(),
    ))
}

/// The objects that an answer lists.
pub(crate) fn list(answer: &Map, key: &str) -> Vec<Map> {
    let items = lines::items(answer.get(key)).iter();
    items.filter_map(Value::as_map).cloned().collect()
}

/// Says how to ask the server that uses a state directory.
///
/// # Errors
///
/// What went wrong, with what to do where the directory is in use.
pub(crate) fn or_ask<T>(opened: anyhow::Result<T>) -> anyhow::Result<T> {
    let is_used =
        |error: &anyhow::Error| matches!(error.downcast_ref(), Some(StoreError::InUse { .. }));
    match opened {
        Err(error) if is_used(&error) => {
            Err(error.context("ask the server that uses it with `--server http://HOST:PORT`"))
        }
        opened => opened,
    }
}
