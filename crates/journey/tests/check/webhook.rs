//! Which webhooks are refused?

use wayfare_journey::diagnostic::Code;

use super::{BY_CONSENT, BY_EVENT, check, check_edits, compiled, edited, fine};

const URL: &str =
    "https://mail.example.com/orders/{properties.orderId}?paid={payment.properties.total}";

#[test]
fn a_webhook_says_what_allows_it() {
    let consent = "      consent: marketing\n";
    check(consent, "", Code::MissingConsent, "webhook");
    check(
        consent,
        "      consent: { basis: contract }\n",
        Code::MissingConsent,
        "basis",
    );
    check(
        consent,
        "      consent: marketin\n",
        Code::UnknownCategory,
        "marketin",
    );
    check(
        consent,
        "      consent: { category: newsletter, action: decline }\n",
        Code::UnknownCategory,
        "newsletter",
    );
    check_edits(
        BY_CONSENT,
        &[(
            "  consent: { category: marketing, action: decline }\n  where",
            "  consent: { category: sales, action: decline }\n  where",
        )],
        Code::UnknownCategory,
        "sales",
    );
    let declined = "      consent: { category: marketing, action: decline }\n      payload";
    let accept = "      consent: marketing\n      payload";
    check_edits(
        BY_CONSENT,
        &[(declined, accept)],
        Code::ConsentContradiction,
        "marketing",
    );
    fine(
        BY_CONSENT,
        &[(declined, "      consent: essential\n      payload")],
    );
}

#[test]
fn secrets_stand_elsewhere() {
    let check = |line: &str, replacement: &str, underlined: &str| {
        check(line, replacement, Code::LiteralSecret, underlined);
    };
    let auth = "{ bearer: { env: MAIL_TOKEN } }";
    check(auth, "{ bearer: abc }", "abc");
    check(
        auth,
        "{ basic: { username: x, password: hunter2 } }",
        "hunter2",
    );
    check(auth, "{ header: { name: X-Api-Key, value: abc } }", "abc");
    let colon = "{ basic: { username: \"a:b\", password: { env: X } } }";
    super::check(auth, colon, Code::InvalidValue, "\"a:b\"");
    let source = "{ X-Source: wayfare }";
    check(source, "{ X-Api-Key: abc }", "abc");
    check(source, "{ Cookie: a=b }", "a=b");
    let url =
        "https://mail.example.com/orders/{properties.orderId}?paid={payment.properties.total}";
    check(
        url,
        "https://me:pw@mail.example.com/x",
        "https://me:pw@mail.example.com/x",
    );
    check(
        url,
        "https://mail.example.com/x?api_key=abc",
        "https://mail.example.com/x?api_key=abc",
    );
}

#[test]
fn a_url_leaves_no_doubt_where_it_leads() {
    let whole = |url: &str, code: Code| check(URL, url, code, url);
    for url in [
        "mail.example.com/x",
        "https:///x",
        "https://mail.example.com/x#top",
        "https://mail.example.com/x#{profile.name}",
        "https://mail.example.com/{profile.name}#top",
        "https://mail.example.com/x?a={profile.name}#top",
        "https://mail.example.com/a/../b",
        "https://mail.example.com/a/%2E%2e/b",
        "https://mail.example.com/./b",
        "https://mail.example.com/a b",
        "https://mail.example.com/a\\b",
        "https://mail.example.com/?a=b c",
        "https://mail.example.com/100%",
        "https://mail.example.com/caf\u{e9}",
        "http://mail.example.com/x",
        "https://shop.internal/x",
    ] {
        whole(url, Code::InvalidUrl);
    }
    let long = |bytes: usize| format!("https://mail.example.com/{}", "x".repeat(bytes - 25));
    whole(&long(2_049), Code::InvalidUrl);
    fine(BY_EVENT, &[(URL, &long(2_048))]);
    for url in [
        "https://{profile.host}/x",
        "https://mail.{profile.host}/x",
        "https://mail.example.com:{profile.port}/x",
        "\"{profile.scheme}://mail.example.com/x\"",
        "https://mail.example.com/x?{profile.name}=1",
        "https://mail.example.com/x?a=1&{profile.name}=1",
        "https://{profile.user}@mail.example.com/x",
    ] {
        let placeholder = url.split(['{', '}']).nth(1).unwrap();
        check(URL, url, Code::Placeholder, placeholder);
    }
    let based = |path: &str, underlined: &str, code: Code| {
        let url = format!("{{ base: {{ env: MAIL }}, path: {path} }}");
        check(URL, &url, code, underlined);
    };
    based("orders", "orders", Code::InvalidUrl);
    based("/a/../b", "/a/../b", Code::InvalidUrl);
    based(
        "\"//{profile.host}/b\"",
        "\"//{profile.host}/b\"",
        Code::InvalidUrl,
    );
    fine(
        BY_EVENT,
        &[(
            URL,
            "{ base: { env: MAIL }, path: \"/orders/{accountId}\" }",
        )],
    );
    fine(BY_EVENT, &[(URL, "https://mail.example.com")]);
    fine(BY_EVENT, &[(URL, "https://mail.example.com?id={email}")]);
    fine(BY_EVENT, &[(URL, "https://mail.example.com/a%20b/x.y/~z")]);
}

#[test]
fn the_words_of_the_address_rules_are_the_checkers() {
    let text = edited(BY_EVENT, &[(URL, "http://mail.example.com/{email}/x?a=b")]);
    let problem = compiled(&text).unwrap_err().remove(0);
    assert_eq!(
        problem.message,
        "`http://mail.example.com/x/x?a=b` is not public"
    );
}

#[test]
fn a_header_is_the_authors_to_set() {
    let header = |name: &str| {
        let headers = format!("{{ {name}: wayfare }}");
        check("{ X-Source: wayfare }", &headers, Code::InvalidHeader, name);
    };
    for name in [
        "webhook-id",
        "Webhook-Timestamp",
        "webhook-signature",
        "Idempotency-Key",
        "Content-Type",
        "Content-Length",
        "Host",
        "User-Agent",
        "Authorization",
        "traceparent",
        "Connection",
        "Transfer-Encoding",
        "Proxy-Authorization",
        "Content-Encoding",
        "Accept-Encoding",
        "Expect",
        "Upgrade",
        "TE",
        "Trailer",
        "Keep-Alive",
        "Date",
        "Metadata",
        "Metadata-Flavor",
        "X-Google-Metadata-Request",
        "X-aws-ec2-metadata-token-ttl-seconds",
        "\":authority\"",
        "\"\"",
        "\"X Source\"",
        "X\u{e9}",
    ] {
        header(name);
    }
    let headers = |headers: &str, underlined: &str| {
        check(
            "{ X-Source: wayfare }",
            headers,
            Code::InvalidHeader,
            underlined,
        );
    };
    headers("{ X-Source: a, x-source: b }", "x-source");
    headers("{ X-Source: \"a\\nb\" }", "\"a\\nb\"");
    headers("{ X-Source: caf\u{e9} }", "caf\u{e9}");
    let long = "x".repeat(4_097);
    headers(&format!("{{ X-Source: {long} }}"), &long);
    let auth = "{ bearer: { env: MAIL_TOKEN } }";
    let by_header = |name: &str| format!("{{ header: {{ name: {name}, value: {{ env: KEY }} }} }}");
    for name in ["Host", "webhook-id", "\"X Key\"", "\"\""] {
        check(auth, &by_header(name), Code::InvalidHeader, name);
    }
    fine(BY_EVENT, &[(auth, &by_header("Authorization"))]);
}

#[test]
fn a_payload_says_what_was_decided() {
    let payload = "        order: \"{properties.orderId}\"\n        note: \"Hi {profile.firstName ?? 'there'}\"\n";
    let whole = format!("      payload:\n{payload}");
    for raw in ["\"{event}\"", "\"{trigger}\"", "\"{payment}\""] {
        check(
            &whole,
            &format!("      payload: {raw}\n"),
            Code::RawEvent,
            raw,
        );
    }
    check(
        "order: \"{properties.orderId}\"",
        "order: {properties.orderId}",
        Code::UnquotedBraces,
        "{properties.orderId}",
    );
    check(
        "\"Hi {profile.firstName ?? 'there'}\"",
        "\"Hi {profile.firstName\"",
        Code::Placeholder,
        "{",
    );
    check(
        "\"Hi {profile.firstName ?? 'there'}\"",
        "\"Hi {profle.firstName}\"",
        Code::UnknownName,
        "profle",
    );
    check(
        "\"Hi {profile.firstName ?? 'there'}\"",
        "\"Hi {profile.firstName ??}\"",
        Code::Expression,
        "",
    );
    let keys = |key: &str, code: Code, underlined: &str| {
        let line = format!("{key}: \"{{properties.orderId}}\"");
        check("order: \"{properties.orderId}\"", &line, code, underlined);
    };
    let placeholder = "\"{properties.orderId}\"";
    keys(placeholder, Code::Placeholder, placeholder);
    keys("\"id-{nobody}\"", Code::Placeholder, "\"id-{nobody}\"");
    keys("\"id-{\"", Code::Placeholder, "{");
}
