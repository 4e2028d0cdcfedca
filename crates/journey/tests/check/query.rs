//! Which values of a query tell who somebody is?

use wayfare_journey::diagnostic::Code;

use super::{BY_CONSENT, BY_EVENT, compiled, edited, shown};

/// What is underlined of a query, warnings of other kinds left out.
fn personal(base: &str, query: &str) -> Vec<String> {
    let edit = if base == BY_EVENT {
        "?paid={payment.properties.total}"
    } else {
        "subscribers/{email}"
    };
    let text = edited(base, &[(edit, query)]);
    let compiled = compiled(&text).unwrap();
    let told = shown(&text, &compiled.warnings).into_iter();
    told.filter(|(code, _)| *code == Code::PersonalQuery)
        .map(|(_, underlined)| underlined)
        .collect()
}

#[test]
fn personal_values_are_underlined_each() {
    let check = |query: &str, expected: &[&str]| {
        assert_eq!(personal(BY_EVENT, query), expected, "{query}");
    };
    check("?to={email}", &["email"]);
    check(
        "?a={profile.email}&b={plan}&c={ first_name }",
        &["profile.email", " first_name "],
    );
    check("/{email}?plan={plan}", &[]);
    check("/{email}?to={phone}", &["phone"]);
    check("?ip={event.context.ip}", &["event.context.ip"]);
    check(
        "?to={properties.contact.email ?? \"\"}",
        &["properties.contact.email ?? \"\""],
    );
    check(
        "?to={payment.properties.phone}",
        &["payment.properties.phone"],
    );
    check("?is={has(profile.email)}", &["has(profile.email)"]);
    check("?event={event.name}", &[]);
    check("?account={account.name}&id={profileId}", &[]);
    check("?journey={journey.title}", &[]);
}

#[test]
fn an_address_that_declined_stays_out_of_a_query_too() {
    let found = personal(BY_CONSENT, "subscribers/{profileId}?address={email}");
    assert_eq!(found, ["email"]);
}
