//! Does a URL carry personal data in its query? Queries are logged by every server and proxy on the
//! way; bodies and, mostly, paths are chosen with more care.

use super::Compiler;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::expression::{Expression, Key, Path, Root};
use crate::render::Part;
use crate::url::UrlTemplate;

/// Names of what tells who somebody is, in lower case, without `_`, `-` and blanks.
const PERSONAL: [&str; 20] = [
    "address",
    "birthday",
    "birthdate",
    "dateofbirth",
    "email",
    "emailaddress",
    "familyname",
    "firstname",
    "fullname",
    "givenname",
    "ip",
    "lastname",
    "middlename",
    "mobile",
    "name",
    "phone",
    "phonenumber",
    "street",
    "surname",
    "username",
];

impl Compiler<'_> {
    /// Warns of each value of a query that tells who somebody is; `places` are those of all
    /// placeholders of the URL.
    pub(super) fn no_personal_query(&mut self, template: &UrlTemplate, places: &[Span]) {
        let in_path = template.path.iter().filter(|part| is_placeholder(part));
        let expressions = template.query.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Placeholder(expression) => Some(expression),
        });
        for (span, expression) in places.iter().skip(in_path.count()).zip(expressions) {
            let Some(name) = personal(expression) else {
                continue;
            };
            let message = format!("`{name}` is personal, and a query ends up in logs");
            self.problems.push(
                Diagnostic::new(Code::PersonalQuery, *span, message)
                    .hint("send it in `payload:`, or name the person by `{profileId}`"),
            );
        }
    }
}

const fn is_placeholder(part: &Part) -> bool {
    matches!(part, Part::Placeholder(_))
}

/// The name of something personal that an expression reads. What an account is called is not.
fn personal(expression: &Expression) -> Option<&str> {
    expression.paths().into_iter().find_map(last_name)
}

fn last_name(path: &Path) -> Option<&str> {
    let reads_somebody = match path.root {
        Root::Profile | Root::Event | Root::Trigger | Root::Named(_) | Root::Change => true,
        Root::Account
        | Root::Consent
        | Root::Delivery
        | Root::Journey
        | Root::Entry
        | Root::Now
        | Root::Local(_) => false,
    };
    // The names of the event itself and of what it is about are nobody's.
    let is_of_event = matches!(
        (&path.root, path.keys.as_slice()),
        (Root::Event | Root::Trigger | Root::Named(_), [_])
    );
    let name = path.keys.iter().find_map(|key| match key {
        Key::Name(name) if is_personal(name) => Some(&**name),
        Key::Name(_) | Key::Index(_) => None,
    });
    name.filter(|_| reads_somebody && !is_of_event)
}

fn is_personal(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| !matches!(c, '_' | '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    PERSONAL.contains(&plain.as_str())
}
