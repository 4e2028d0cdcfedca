//! Events of the stories, as their sources would write them.

/// A track event of somebody, such as `userId u1`, with more fields behind its name.
pub(crate) fn track(who: &str, name: &str, more: &str) -> String {
    let (field, value) = who.split_once(' ').unwrap();
    format!(r#"{{"type":"track","{field}":"{value}","event":"{name}"{more}}}"#)
}

/// An add_to_cart or purchase within a session.
pub(crate) fn shop(who: &str, name: &str, session: &str) -> String {
    track(
        who,
        name,
        &format!(r#","properties":{{"session":"{session}"}}"#),
    )
}

/// An identify event that links an anonymous id to a user.
pub(crate) fn login(anonymous: &str, user: &str) -> String {
    format!(r#"{{"type":"identify","anonymousId":"{anonymous}","userId":"{user}"}}"#)
}

/// An identify event of a user that tells one trait, its value as JSON.
pub(crate) fn tell(user: &str, name: &str, value: &str) -> String {
    format!(r#"{{"type":"identify","userId":"{user}","traits":{{"{name}":{value}}}}}"#)
}
