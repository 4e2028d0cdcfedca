//! May two persons become one, or an identifier be told apart? What an operator names is looked up, and
//! what cannot be is refused with why. Not here: what follows (`wayfare_executor`).

use wayfare_event::{Identifier, Timestamp};
use wayfare_executor::{Action, Key, Row};
use wayfare_identity::{LinkChange, Links, Named, Profile};

use super::{OrderError, people, refused, unknown};
use crate::engine::Engine;

/// `from`'s person becomes `into`'s.
pub(super) fn merge(engine: &mut Engine, from: &str, into: &str) -> Result<Action, OrderError> {
    let (from, into) = (identifier(engine, from)?, identifier(engine, into)?);
    let mut known = Known::default();
    let mut anchors = Vec::new();
    for named in [&from, &into] {
        let profile = known.profile(engine, named)?;
        let Some(anchor) = profile.anchor() else {
            return refused(&format!(
                "`{named}` is nobody's with {} yet, and only such persons are merged; an event that \
                 names both brings it to somebody",
                anchor_of(engine)
            ));
        };
        stands(engine, &known, anchor)?;
        anchors.push(anchor.clone());
    }
    if let [from_anchor, into_anchor] = anchors.as_slice() {
        if from_anchor == into_anchor {
            return refused(&format!("`{from}` and `{into}` are one person already"));
        }
        let config = &engine.catalog().identity;
        let pair = (from_anchor, into_anchor);
        let links = wayfare_identity::merge(config, &known.links, pair, Timestamp::EPOCH);
        if let Some(LinkChange::Refused { limit, .. }) = links.first() {
            return refused(&format!(
                "`{from}` and `{into}` together would pass the limit `{}` of one person",
                limit.as_str()
            ));
        }
    }
    Ok(Action::Merge { from, into })
}

/// An identifier is told apart from the person of another one.
pub(super) fn detach(engine: &mut Engine, text: &str, from: &str) -> Result<Action, OrderError> {
    let (identifier, from) = (identifier(engine, text)?, identifier(engine, from)?);
    let mut known = Known::default();
    let profile = known.profile(engine, &from)?;
    known.profile(engine, &identifier)?;
    let not_in = || {
        refused(&format!(
            "identifier `{identifier}` is not in the profile of `{from}`; `wayfare profile {from}` \
             lists those that are"
        ))
    };
    let is_held = profile.identifiers.contains(&identifier);
    let Some(anchor) = profile.towards(&engine.catalog().identity, &from) else {
        if !is_held {
            return not_in();
        }
        return refused(&format!(
            "the profile of `{from}` has nothing to tell `{identifier}` apart from: nobody with {} \
             claims it",
            anchor_of(engine)
        ));
    };
    stands(engine, &known, anchor)?;
    // What is shared is in nobody's profile, and still claimed.
    if !is_held && !wayfare_identity::is_claimed(&known.links, &identifier, anchor) {
        return not_in();
    }
    let config = &engine.catalog().identity;
    let pair = (&identifier, anchor);
    if wayfare_identity::detach(config, &known.links, pair, Timestamp::EPOCH).is_empty() {
        return refused(&format!(
            "`{identifier}` is who the profile of `{from}` is; it is told apart from one that it was \
             merged with: `wayfare detach {identifier} OTHER`"
        ));
    }
    Ok(Action::Detach { identifier, from })
}

/// Refuses what would change who somebody is that is erased or about to be, or what they claim is.
fn stands(engine: &mut Engine, known: &Known, anchor: &Identifier) -> Result<(), OrderError> {
    let claims = known.links.node(anchor).into_iter();
    let claims = claims.flat_map(|node| node.edges());
    let claimed = claims.filter(|edge| edge.kind.claims());
    let mut all = claimed.map(|edge| edge.other.clone());
    let waits = all.find_map(|it| match people::known(engine.store(), &it) {
        Ok(people::Known::Erasing(erasing)) if erasing.through.is_none() => None,
        Ok(people::Known::Erasing(_)) => Some(Ok(it)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    let erasing = match people::known(engine.store(), anchor)? {
        people::Known::Erasing(_) => Some(anchor.clone()),
        people::Known::Nothing | people::Known::Somebody | people::Known::Erased(_) => {
            waits.transpose()?
        }
    };
    match erasing {
        Some(erasing) => refused(&format!(
            "`{erasing}` is erased or about to be, and stays who they are; `wayfare readmit {erasing}` \
             lifts that"
        )),
        None => Ok(()),
    }
}

/// A blocked identifier names somebody again.
pub(super) fn unblock(engine: &mut Engine, text: &str) -> Result<Action, OrderError> {
    let identifier = identifier(engine, text)?;
    let mut known = Known::default();
    known.profile(engine, &identifier)?;
    if !known.links.is_blocked(&identifier) {
        return refused(&format!("identifier `{identifier}` is not blocked"));
    }
    Ok(Action::Unblock(identifier))
}

/// An identifier as it is written, `namespace:value`, as events spell it.
fn identifier(engine: &Engine, text: &str) -> Result<Identifier, OrderError> {
    let Some((namespace, value)) = text.split_once(':') else {
        return unknown(&format!(
            "`{text}` is no identifier; write `namespace:value`, such as `{}:42`",
            anchor_of(engine)
        ));
    };
    let config = &engine.catalog().identity;
    let value = wayfare_identity::normalise(config, &namespace.into(), value);
    Ok(match value {
        Some(value) => Identifier::new(namespace, &value),
        None => {
            let known = config.namespaces().iter();
            let known: Vec<String> = known.map(|rule| format!("`{}`", rule.name)).collect();
            return unknown(&format!(
                "`{text}` names nobody: it is a placeholder or blocked by `wayfare.yaml`, or its \
                 namespace is none of {}",
                known.join(", ")
            ));
        }
    })
}

/// The namespace that tells persons apart.
fn anchor_of(engine: &Engine) -> String {
    let mut namespaces = engine.catalog().identity.namespaces().iter();
    let anchor = namespaces.find(|rule| rule.class == wayfare_identity::Class::Anchor);
    anchor.map_or_else(String::new, |rule| rule.name.to_string())
}

/// The links that were looked at.
#[derive(Debug, Default)]
struct Known {
    links: Links,
}

impl Known {
    /// The profile an identifier is in.
    fn profile(
        &mut self,
        engine: &mut Engine,
        identifier: &Identifier,
    ) -> Result<Profile, OrderError> {
        let named = Named::just(identifier.clone());
        loop {
            let missing = wayfare_identity::reach(&engine.catalog().identity, &self.links, &named);
            if missing.is_empty() {
                break;
            }
            for identifier in missing {
                match engine.row(&Key::Person(identifier.clone()))? {
                    Some(Row::Person(person)) => self.links.put(person.node),
                    Some(_) | None => self.links.put_absent(identifier),
                }
            }
        }
        let catalog = engine.catalog();
        let partition = wayfare_identity::resolve(&catalog.identity, &catalog.id_key, &self.links);
        let profile = partition.profile_of(identifier).cloned();
        profile.map_or_else(
            || unknown(&format!("nobody is known as `{identifier}`")),
            Ok,
        )
    }
}
