//! Where may a request go, and where not? Every spelling of an address or a URL that has led a
//! sender astray is a row here.

#![expect(
    clippy::unwrap_used,
    reason = "a test target: an assumption that fails is a test that fails"
)]

use std::net::IpAddr;

use wayfare_webhook::{Network, NetworkParseError, Policy, PolicyRefusal};

fn networks(texts: &[&str]) -> Vec<Network> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn allowing(texts: &[&str]) -> Policy {
    Policy {
        allow_networks: networks(texts),
        ..Policy::default()
    }
}

/// Whether the policy lets a request go to a name that resolves to these addresses.
fn answers(policy: &Policy, host: &str, addresses: &[&str]) -> Result<(), PolicyRefusal> {
    let target = policy.target(&format!("https://{host}/hook"))?;
    let addresses: Vec<IpAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
    let vetted = policy.vet(&target, &addresses)?;
    assert_eq!(vetted.iter().map(|a| a.ip()).collect::<Vec<_>>(), addresses);
    Ok(())
}

/// The same address as a host of its own.
fn literal(policy: &Policy, address: &str) -> Result<(), PolicyRefusal> {
    let host = match address.parse().unwrap() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    policy.target(&format!("https://{host}/hook")).map(drop)
}

/// A policy that lets plain http go anywhere the text of a URL leads, so that only the address or
/// the text can refuse it.
fn plain(url: &str) -> Policy {
    let host = url::Url::parse(url).ok();
    let host = host.as_ref().and_then(url::Url::host_str).unwrap_or("none");
    Policy {
        allow_http: vec![host.to_owned()],
        ..Policy::default()
    }
}

const PUBLIC: &[&str] = &[
    "172.15.255.255", // A4
    "172.32.0.1",
    "100.63.255.254", // A7
    "100.128.0.1",
    "192.88.98.255", // A12
    "192.88.100.1",
    "223.255.255.255", // A16
    "1.1.1.1",
    "8.8.8.8",
    "2606:4700:4700::1111", // A33
    "2001:4860:4860::8888",
];

const REFUSED: &[&str] = &[
    "127.0.0.1", // A1
    "127.255.255.254",
    "0.0.0.0", // A2
    "0.1.2.3",
    "10.0.0.1", // A3
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254", // A5
    "169.254.170.2",
    "100.64.0.1", // A6
    "100.127.255.254",
    "168.63.129.16", // A8
    "192.0.0.1",     // A9
    "192.0.0.192",
    "192.0.2.1", // A10
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1", // A11
    "198.18.0.1",  // A13
    "198.19.255.255",
    "224.0.0.1", // A14
    "239.255.255.250",
    "240.0.0.1", // A15
    "255.255.255.255",
    "::", // A17
    "::1",
    "::ffff:127.0.0.1", // A18
    "::ffff:a9fe:a9fe",
    "::ffff:8.8.8.8",  // A19
    "::7f00:1",        // A20
    "::ffff:0:7f00:1", // A21
    "::5efe:7f00:1",
    "64:ff9b::7f00:1", // A22
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::",
    "64:ff9b::5db8:d822", // A23
    "64:ff9b:1::1",       // A24
    "2002:7f00:1::1",     // A25
    "2002:a9fe:a9fe::1",
    "2002:808:808::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", // A26
    "fc00::1",                              // A27
    "fd00:ec2::254",
    "fd7a:115c:a1e0::1",
    "fe80::1", // A28
    "febf:ffff::1",
    "fec0::1", // A29
    "ff02::1", // A30
    "ff0e::1",
    "2001:db8::1", // A31
    "3fff::1",
    "3fff:fff::1",
    "100::1", // A32
    "5f00::1",
];

#[test]
fn only_the_public_internet_is_open_as_a_literal_and_as_an_answer() {
    let policy = Policy::default();
    for address in PUBLIC {
        assert_eq!(literal(&policy, address), Ok(()), "{address}");
        let answered = answers(&policy, "good.example", &[address]);
        assert_eq!(answered, Ok(()), "{address}");
    }
    for address in REFUSED {
        let expected = |refusal: Result<(), PolicyRefusal>| {
            let refused = matches!(refusal, Err(PolicyRefusal::Address { .. }));
            assert!(refused, "{address}: {refusal:?}");
        };
        expected(literal(&policy, address));
        expected(answers(&policy, "good.example", &[address]));
    }
}

#[test]
fn one_bad_answer_refuses_the_lookup_wherever_it_stands() {
    let policy = Policy::default();
    for mixed in [
        ["8.8.8.8", "127.0.0.1"], // B2
        ["127.0.0.1", "8.8.8.8"],
        ["8.8.8.8", "::1"], // B3
        ["::1", "8.8.8.8"],
        ["2606:4700:4700::1111", "169.254.169.254"],
    ] {
        assert!(
            answers(&policy, "good.example", &mixed).is_err(),
            "{mixed:?}"
        );
    }
    let good = ["8.8.8.8", "2606:4700:4700::1111"];
    assert_eq!(answers(&policy, "good.example", &good), Ok(()));
}

#[test]
fn networks_are_opened_by_configuration_and_metadata_only_one_by_one() {
    let check = |allowed: &[&str], address: &str, expected: bool| {
        let policy = allowing(allowed);
        for result in [
            literal(&policy, address),
            answers(&policy, "good.example", &[address]),
        ] {
            assert_eq!(
                result.is_ok(),
                expected,
                "{allowed:?} {address}: {result:?}"
            );
        }
    };
    check(&["127.0.0.0/8"], "127.0.0.1", true);
    check(&["127.0.0.0/8"], "10.0.0.1", false);
    check(&["10.1.0.0/16"], "10.1.255.255", true);
    check(&["10.1.0.0/16"], "10.2.0.0", false);
    check(&["fd00::/8"], "fd7a:115c:a1e0::1", true);
    check(&["fd00::/8"], "fc00::1", false);
    check(&["::1"], "::1", true);
    for wide in ["0.0.0.0/0", "169.254.0.0/16", "169.254.169.254/31"] {
        check(&[wide], "169.254.169.254", false);
    }
    check(&["169.254.169.254/32"], "169.254.169.254", true);
    check(&["169.254.169.254"], "169.254.169.254", true);
    check(&["169.254.169.254"], "169.254.170.2", false);
    check(&["0.0.0.0/0"], "168.63.129.16", false);
    check(&["::/0"], "fe80::1", false);
    check(&["fe80::1/128"], "fe80::1", true);
    check(&["fd00::/8"], "fd00:ec2::254", false);
    check(&["fd00:ec2::254"], "fd00:ec2::254", true);
    // An allowed wrapper does not open what it wraps.
    check(&["64:ff9b::/96"], "64:ff9b::5db8:d822", true);
    check(&["64:ff9b::/96"], "64:ff9b::7f00:1", false);
    check(&["64:ff9b::/96"], "64:ff9b::a9fe:a9fe", false);
    check(&["64:ff9b::/96", "127.0.0.0/8"], "64:ff9b::7f00:1", true);
    check(&["::/0", "0.0.0.0/0"], "::ffff:a9fe:a9fe", false);
    check(&["127.0.0.0/8"], "::ffff:127.0.0.1", false);
    check(
        &["2001::/32"],
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        false,
    );
}

#[test]
fn wayfare_does_not_send_to_itself() {
    let policy = Policy {
        allow_networks: networks(&["127.0.0.0/8", "::1"]),
        allow_ports: vec![8080, 8081],
        own: vec![
            "0.0.0.0:8080".parse().unwrap(),
            "8.8.8.8:443".parse().unwrap(),
        ],
        ..Policy::default()
    };
    let check = |url: &str, is_own: bool| {
        let refused = policy.target(url);
        assert_eq!(
            matches!(refused, Err(PolicyRefusal::Own(_))),
            is_own,
            "{url}"
        );
    };
    check("https://127.0.0.1:8080/", true); // A34
    check("https://[::1]:8080/", true);
    check("https://127.0.0.1:8081/", false);
    check("https://8.8.8.8/", true);
    check("https://8.8.8.8:80/", false);
}

#[test]
fn every_spelling_of_a_bad_address_is_refused() {
    for url in [
        "http://127.1/", // U1
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://017700000001/",
        "http://2852039166/", // U2
        "http://0xA9FEA9FE/",
        "http://0251.0376.0251.0376/",
        "http://0/",               // U3
        "http://127.0.0.1./",      // U4
        "http://%31%32%37.0.0.1/", // U5
        "http://①②⑦.⓪.⓪.①/",       // U6
        "http://127。0。0。1/",
        "http://[::ffff:7f00:1]/", // U12
        "http://[0:0:0:0:0:ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
    ] {
        let refusal = plain(url).target(url);
        let refused = matches!(refusal, Err(PolicyRefusal::Address { .. }));
        assert!(refused, "{url}: {refusal:?}");
        assert!(Policy::default().target(url).is_err(), "{url}");
    }
}

#[test]
fn a_text_that_parsers_and_people_read_differently_is_refused() {
    let long = format!("https://good.example/{}", "a".repeat(3_000));
    for url in [
        "http://[fe80::1%25eth0]/", // U13
        "http://[fe80::1%eth0]/",
        "http://127.0.0.1#@good.example/",  // U15
        "http://good.example\\@127.0.0.1/", // U16
        "http:\\\\127.0.0.1\\x",            // U17
        "http:///127.0.0.1/",
        "http:127.0.0.1/",
        "https:good.example/",
        "https:/good.example/",
        "ht\ntp://good.example/", // U18
        "http://goo\td.example/",
        "http://good.example/a\r\nX: y", // U19
        " https://good.example/",
        "https://good.example/a b",
        "https://good.example/\u{85}",
        "https://good.example:65536/", // U22
        "//good.example/x",            // U24
        "good.example/x",
        "",
        "https://{host}/", // U25
        "https://good.example:{port}/",
        "{scheme}://x/",
        "http://a..b/", // U26
        "https://good.example/a#b",
        &long, // U29
    ] {
        let refusal = plain(url).target(url);
        let refused = matches!(refusal, Err(PolicyRefusal::Malformed(_)));
        assert!(refused, "{url}: {refusal:?}");
    }
    for url in [
        "http://good.example@127.0.0.1/", // U14
        "https://user:password@good.example/",
        "https://:password@good.example/",
    ] {
        assert_eq!(
            plain(url).target(url),
            Err(PolicyRefusal::UserInfo),
            "{url}"
        );
    }
}

#[test]
fn only_https_leaves_unless_a_host_is_named() {
    for url in [
        "file:///etc/passwd", // U23
        "gopher://127.0.0.1:6379/_x",
        "ftp://h/",
        "data:text/plain,x",
        "javascript:alert(1)",
        "unix:/var/run/docker.sock",
        "http+unix://%2Fvar%2Frun%2Fdocker.sock/x",
    ] {
        let refusal = Policy::default().target(url);
        assert!(
            matches!(refusal, Err(PolicyRefusal::Scheme(_))),
            "{url}: {refusal:?}"
        );
    }
    let plain = |allowed: &str, url: &str| {
        let policy = Policy {
            allow_http: vec![allowed.to_owned()],
            ..allowing(&["::1"])
        };
        policy.target(url).is_ok()
    };
    assert!(plain("good.example", "http://good.example/"));
    assert!(plain("Good.Example.", "http://good.example./"));
    assert!(plain("[::1]", "http://[::1]/"));
    assert!(plain("::1", "http://[::1]/"));
    assert!(!plain("good.example", "http://other.example/"));
    assert!(!plain("good.example", "http://sub.good.example/"));
}

#[test]
fn other_ports_need_to_be_named() {
    let policy = Policy {
        allow_ports: vec![8443],
        ..Policy::default()
    };
    for (port, expected) in [
        ("", true),
        (":443", true),
        (":80", true),
        (":8443", true),
        (":0", false), // U21
        (":22", false),
        (":25", false),
        (":6379", false),
    ] {
        let url = format!("https://good.example{port}/");
        assert_eq!(policy.target(&url).is_ok(), expected, "{url}");
    }
}

#[test]
fn a_local_name_leads_only_into_networks_that_are_named() {
    for host in [
        "localhost.",         // U7
        "ＬＯＣＡＬＨＯＳＴ", // U8
        "foo.localhost",      // U9
        "svc.internal.",
        "x.local",
        "redis",
        "metadata.google.internal", // U10
        "nas.home.arpa",
    ] {
        let refusal = answers(&Policy::default(), host, &["8.8.8.8"]);
        let refused = matches!(refusal, Err(PolicyRefusal::LocalName { .. }));
        assert!(refused, "{host}: {refusal:?}");
        assert!(
            answers(&Policy::default(), host, &["10.0.0.1"]).is_err(),
            "{host}"
        );
        assert_eq!(
            answers(&allowing(&["10.0.0.0/8"]), host, &["10.0.0.1"]),
            Ok(())
        );
    }
    // U11: a public name, refused by where it leads.
    let hidden = answers(
        &Policy::default(),
        "169.254.169.254.nip.io",
        &["169.254.169.254"],
    );
    assert!(matches!(hidden, Err(PolicyRefusal::Address { .. })));
}

#[test]
fn plain_spellings_of_public_targets_pass() {
    let target = |url: &str| Policy::default().target(url).unwrap();
    assert_eq!(target("https://ⓔxample.com/").host(), "example.com"); // U27
    for url in [
        "https://good.example/a%0d%0aX:%20y", // U20
        "https://good.example/../../admin",   // U28
        "https://good.example/%2e%2e/admin",
        "https://good.example",
        "https://good.example?x=/y@z",
        "HTTPS://GOOD.EXAMPLE/a@b",
    ] {
        let target = target(url);
        assert_eq!(
            (target.host(), target.port()),
            ("good.example", 443),
            "{url}"
        );
    }
    assert_eq!(
        target("https://good_example.com/").host(),
        "good_example.com"
    ); // U26
}

#[test]
fn a_refusal_says_what_to_do_next() {
    let check = |url: &str, expected: &str| {
        assert_eq!(
            Policy::default().target(url).unwrap_err().to_string(),
            expected
        );
    };
    check(
        "https://10.0.0.1/",
        "`10.0.0.1` is on a private network, list its network under `webhooks.allow_networks` to allow it",
    );
    check(
        "https://169.254.169.254/",
        "`169.254.169.254` is link-local, list exactly `169.254.169.254/32` under `webhooks.allow_networks` to allow it",
    );
    check(
        "http://good.example/",
        "plain http to `good.example` is not allowed, use https or list the host under `webhooks.allow_http`",
    );
    check(
        "https://good.example:8443/",
        "port 8443 of `good.example` is not allowed, list it under `webhooks.allow_ports`",
    );
}

#[test]
fn a_network_is_an_address_or_an_address_and_its_prefix() {
    for (text, shown) in [
        ("127.0.0.0/8", "127.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("fd00::/8", "fd00::/8"),
        ("::1", "::1/128"),
    ] {
        assert_eq!(text.parse::<Network>().unwrap().to_string(), shown);
    }
    for text in [
        "",
        "localhost",
        "10.0.0.0/",
        "10.0.0.0/x",
        "10.0.0.0/+8",
        "10/8",
        "1.2.3.4/8/8",
    ] {
        let error = text.parse::<Network>().unwrap_err();
        assert!(matches!(error, NetworkParseError::Malformed(_)), "{text}");
    }
    for text in ["10.0.0.0/33", "fd00::/129", "10.0.0.0/999"] {
        let error = text.parse::<Network>().unwrap_err();
        assert!(matches!(error, NetworkParseError::Prefix { .. }), "{text}");
    }
    assert_eq!(
        "10.1.2.3/8".parse::<Network>().unwrap_err().to_string(),
        "`10.1.2.3/8` has bits beyond its prefix, write `10.0.0.0/8` or `10.1.2.3`"
    );
}
