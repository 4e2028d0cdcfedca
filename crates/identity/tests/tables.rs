//! Is what `docs/identity.md` says in its tables what the code does? Each row is made and compared.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken fixture should fail its test"
)]

use wayfare_event::{Event, IdKey, Identifier, Timestamp};
use wayfare_identity::{
    Config, Links, Partition, Profile, Standing, Trust, attribute, extract, link, resolve,
};

const PAGE: &str = include_str!("../../../docs/identity.md");

/// The cells of a table's rows, without its head.
fn rows(name: &str) -> Vec<Vec<&'static str>> {
    let mark = format!("<!-- table: {name} -->\n");
    let (_, table) = PAGE.split_once(&mark).unwrap();
    let lines = table.lines().take_while(|line| line.starts_with('|'));
    let cells = |line: &'static str| {
        let inner = line.trim_matches('|');
        inner.split('|').map(str::trim).collect()
    };
    lines.skip(2).map(cells).collect()
}

/// One browser of a person, so that a second one is one too many.
fn config() -> Config {
    let mut rules = Config::default().namespaces().to_vec();
    for rule in &mut rules {
        let is_session = rule.name.as_str() == "anonymous_id";
        rule.limit = if is_session { Some(1) } else { rule.limit };
    }
    Config::new(rules, [], None).unwrap()
}

#[derive(Default)]
struct Told {
    links: Links,
    at_us: i64,
}

impl Told {
    fn tell(&mut self, json: &str, trust: Trust) {
        self.at_us += 1;
        let named = extract(&config(), &Event::parse(json, None).unwrap()).unwrap();
        let at = Timestamp::from_micros(self.at_us);
        for change in link(&config(), &self.links, &named, trust, at) {
            self.links.apply(&change);
        }
    }

    fn claim(&mut self, user: &str, browser: &str, trust: Trust) {
        let json = format!(r#"{{"type":"page","userId":"{user}","anonymousId":"{browser}"}}"#);
        self.tell(&json, trust);
    }

    fn named_with(&mut self, browser: &str, mail: &str) {
        let json = format!(
            r#"{{"type":"page","anonymousId":"{browser}","context":{{"traits":{{"email":"{mail}"}}}}}}"#
        );
        self.tell(&json, Trust::Verified);
    }

    fn partition(&self) -> Partition {
        resolve(&config(), &IdKey::STATELESS, &self.links)
    }
}

/// How many a word of the table means.
fn count(word: &str) -> Vec<usize> {
    match word {
        "nobody" | "none" => vec![0],
        "one person" | "one" => vec![1],
        "several" => vec![2, 3],
        "any" => vec![0, 1, 2],
        other => panic!("`{other}` is no number of the table"),
    }
}

fn whether(word: &str) -> Vec<bool> {
    match word {
        "yes" => vec![true],
        "no" => vec![false],
        "any" => vec![false, true],
        other => panic!("`{other}` is neither yes nor no"),
    }
}

/// The profile of a browser that so many claim and that was named with what so many others hold.
fn browser((verified, public): (usize, usize), is_beyond: bool, named: usize) -> Profile {
    let mut told = Told::default();
    told.tell(r#"{"type":"page","anonymousId":"x"}"#, Trust::Verified);
    for (users, count, trust) in [
        ("v", verified, Trust::Verified),
        ("p", public, Trust::Unverified),
    ] {
        for number in 0..count {
            told.claim(&format!("{users}{number}"), "x", trust);
        }
    }
    for number in 0..named {
        let (user, mail) = (format!("n{number}"), format!("m{number}@x.example"));
        let json =
            format!(r#"{{"type":"identify","userId":"{user}","traits":{{"email":"{mail}"}}}}"#);
        told.tell(&json, Trust::Verified);
        told.named_with("x", &mail);
    }
    for (users, count, trust) in [
        ("v", verified, Trust::Verified),
        ("p", public, Trust::Unverified),
    ] {
        for number in (0..count).filter(|_| is_beyond) {
            let user = format!("{users}{number}");
            told.claim(&user, &format!("later-{user}"), trust);
        }
    }
    let partition = told.partition();
    let x = Identifier::new("anonymous_id", "x");
    partition.profile_of(&x).unwrap().clone()
}

#[test]
fn an_identifier_is_whose_the_table_says() {
    let rows = rows("whose");
    assert!(rows.len() >= 9, "only {} rows", rows.len());
    for row in rows {
        let [verified, public, beyond, named, expected] = row.as_slice() else {
            panic!("five cells, not {row:?}");
        };
        for verified in count(verified) {
            for public in count(public) {
                for named in count(named) {
                    for is_beyond in whether(beyond) {
                        let found = browser((verified, public), is_beyond, named);
                        let told = (verified, public, is_beyond, named);
                        compare(&found, expected, told);
                    }
                }
            }
        }
    }
}

fn compare(found: &Profile, expected: &str, told: (usize, usize, bool, usize)) {
    let (verified, public, ..) = told;
    let standing = match expected {
        "that person's" => Standing::Anchored,
        "a profile of its own: evicted" => Standing::Evicted,
        "a profile of its own: contested" => Standing::Contested,
        "a profile of its own: loose" => Standing::Loose,
        other => panic!("`{other}` is nothing an identifier can be"),
    };
    assert_eq!(found.standing, standing, "{told:?}");
    let person = match (verified, public) {
        (1.., _) => "v0",
        (0, 1..) => "p0",
        (0, 0) => "n0",
    };
    let anchor = found.anchor().map(|it| &*it.value);
    let is_persons = standing == Standing::Anchored;
    assert_eq!(anchor, is_persons.then_some(person), "{told:?}");
}

#[test]
fn an_event_is_about_whom_the_table_says() {
    let mut told = Told::default();
    told.claim("u1", "old", Trust::Verified);
    told.claim("u1", "new", Trust::Verified);
    told.claim("u2", "kiosk", Trust::Verified);
    told.claim("u3", "kiosk", Trust::Verified);
    let loose = r#"{"type":"page","anonymousId":"loose"}"#;
    told.tell(loose, Trust::Verified);
    let partition = told.partition();
    let about = |identifiers: &[(&str, &str)]| {
        let named = identifiers.iter();
        let named: Vec<_> = named.map(|(name, it)| Identifier::new(name, it)).collect();
        let profile = attribute(&config(), &partition, &named).unwrap();
        profile.identifiers.first().unwrap().to_string()
    };
    let browser = |value| ("anonymous_id", value);
    for row in rows("event") {
        let [names, expected] = row.as_slice() else {
            panic!("two cells, not {row:?}");
        };
        let (event, found): (Vec<_>, _) = match (*names, *expected) {
            ("an anchor", "the anchor's profile") => {
                (vec![("user_id", "u2"), browser("new")], "user_id:u2")
            }
            (
                "something that is a person's or loose, and no anchor",
                "the profile of the best of these",
            ) => (
                vec![browser("kiosk"), browser("old"), browser("new")],
                "user_id:u1",
            ),
            ("only evicted and contested ones", "the best evicted one's own profile") => {
                (vec![browser("kiosk"), browser("old")], "anonymous_id:old")
            }
            ("only contested ones", "the best contested one's own profile") => {
                (vec![browser("kiosk")], "anonymous_id:kiosk")
            }
            other => panic!("{other:?} is not made here"),
        };
        assert_eq!(about(&event), found, "{names}");
    }
    assert_eq!(rows("event").len(), 4);
    assert_eq!(
        about(&[browser("loose"), browser("old")]),
        "anonymous_id:loose"
    );
}
