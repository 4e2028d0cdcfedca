//! `wayfare unsubscribe-link`: one link with which somebody unsubscribes.

use std::process::ExitCode;

use clap::{ArgGroup, Args};
use wayfare_consent::Binding;
use wayfare_event::Namespace;

use super::{WrongInput, inspect, print};
use crate::cli::Journeys;
use crate::environment;
use crate::unsubscribe::{Link, LinkKey};

/// The arguments of `wayfare unsubscribe-link`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("address").required(true)))]
pub(crate) struct UnsubscribeLink {
    #[command(flatten)]
    journeys: Journeys,
    /// The category that is declined.
    #[arg(long)]
    category: String,
    /// The e-mail address it is declined for.
    #[arg(long, group = "address")]
    email: Option<String>,
    /// The phone number it is declined for.
    #[arg(long, group = "address")]
    phone: Option<String>,
    /// Where `wayfare serve` can be reached, such as `https://events.example.com`.
    #[arg(long)]
    base_url: String,
}

/// Prints the link, once it is sure that it will say something.
pub(crate) fn unsubscribe_link(wanted: &UnsubscribeLink) -> anyhow::Result<ExitCode> {
    let settings = inspect::settings(&wanted.journeys)?;
    let (namespace, address) = match (&wanted.email, &wanted.phone) {
        (Some(email), _) => (Namespace::EMAIL, email),
        (None, Some(phone)) => (Namespace::PHONE, phone),
        (None, None) => {
            return Err(WrongInput("name an `--email` or a `--phone`".to_owned()).into());
        }
    };
    let Some(category) = settings.consent.called(&wanted.category) else {
        let message = format!("no category `{}` is configured", wanted.category);
        return Err(WrongInput(message).into());
    };
    let binding = settings.consent.category(category).map(|it| it.binding);
    if let Some(Binding::Address(channel)) = binding
        && channel.namespace() != namespace
    {
        let message = format!(
            "`{category}` is about addresses of the kind `{}`",
            channel.namespace()
        );
        return Err(WrongInput(message).into());
    }
    let value = wayfare_identity::normalise(&settings.identity, &namespace.into(), address);
    let Some(value) = value else {
        return Err(WrongInput(format!("`{address}` is no {namespace}")).into());
    };
    let Some(reference) = &settings.server.unsubscribe else {
        let message = "no key is configured; add `server: { unsubscribe: { key: { env: NAME } } }` to \
                       `wayfare.yaml`";
        return Err(WrongInput(message.to_owned()).into());
    };
    let key = LinkKey::resolve(&environment::secrets(), reference)?;
    let token = key.token(&Link {
        category: category.to_string(),
        address: value.to_string(),
    });
    let base = wanted.base_url.trim_end_matches('/');
    print(&format!("{base}/unsubscribe/{token}"))?;
    Ok(ExitCode::SUCCESS)
}
