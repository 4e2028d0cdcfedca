//! Which references to secrets lead nowhere? Found in the files as they stand, so that each is
//! underlined. Not here: looking secrets up, which the binary does.

use wayfare_journey::definition::Secret;
use wayfare_journey::diagnostic::{Code, Diagnostic};
use wayfare_journey::yaml::{self, Kind, Node};

/// Whether something is behind a reference.
pub type Resolves<'a> = &'a dyn Fn(&Secret) -> bool;

/// A warning for each reference of a journey that does not resolve.
pub(super) fn of_journey(source: &str, resolves: Resolves<'_>) -> Vec<Diagnostic> {
    let Ok(root) = yaml::read(source) else {
        return Vec::new();
    };
    let blocks = root.entry("blocks").map(|entry| entry.value.entries());
    let blocks = blocks.unwrap_or_default().iter();
    let webhooks = blocks.filter_map(|block| block.value.entry("webhook"));
    let mut found = Vec::new();
    for webhook in webhooks {
        // A payload may hold `{env: …}` and mean just that.
        for key in ["auth", "sign", "url"] {
            if let Some(entry) = webhook.value.entry(key) {
                unresolved(&entry.value, resolves, &mut found);
            }
        }
    }
    found
}

/// A warning for each reference of `wayfare.yaml` that does not resolve.
pub(super) fn of_configuration(source: &str, resolves: Resolves<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if let Ok(root) = yaml::read(source)
        && let Some(server) = root.entry("server")
    {
        unresolved(&server.value, resolves, &mut found);
    }
    found
}

fn unresolved(node: &Node, resolves: Resolves<'_>, found: &mut Vec<Diagnostic>) {
    if let Some((secret, at)) = reference(node) {
        if !resolves(&secret) {
            found.push(warning(&secret, at));
        }
        return;
    }
    for entry in node.entries() {
        unresolved(&entry.value, resolves, found);
    }
    if let Kind::List(items) = &node.kind {
        for item in items {
            unresolved(item, resolves, found);
        }
    }
}

/// The secret a mapping names, and where its name stands.
fn reference(node: &Node) -> Option<(Secret, &Node)> {
    let [only] = node.entries() else {
        return None;
    };
    let Kind::Text(name) = &only.value.kind else {
        return None;
    };
    let secret = match only.key.as_str() {
        "env" => Secret::Env(name.clone()),
        "file" => Secret::File(name.clone()),
        _ => return None,
    };
    Some((secret, &only.value))
}

fn warning(secret: &Secret, at: &Node) -> Diagnostic {
    let message = match secret {
        Secret::Env(name) => format!("`{name}` is not set, or empty, in this environment"),
        Secret::File(path) => format!("the file `{path}` is not there, or empty"),
    };
    Diagnostic::new(Code::UnresolvedSecret, at.span, message).hint(
        "`serve` and a real `run` start only where it is; where secrets are not meant to be, check \
         with `--ignore-secrets`",
    )
}
