//! What does the configuration open, and how is it told what it does not? The addresses, spellings
//! and answers that are refused as shipped are the data files of `runtime/tests/guard`.

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
fn only_https_leaves_unless_a_host_is_named() {
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
        "localhost.", // U7
        "LOCALHOST",
        "foo.localhost", // U9
        "svc.internal.",
        "x.local",
        "redis",
        "metadata.google.internal", // U10
        "nas.home.arpa",
    ] {
        let check = |allowed: &[&str], address: &str, expected: fn(&PolicyRefusal) -> bool| {
            let refusal = answers(&allowing(allowed), host, &[address]).unwrap_err();
            assert!(expected(&refusal), "{host}: {refusal:?}");
        };
        check(&[], "8.8.8.8", |it| {
            matches!(it, PolicyRefusal::LocalName(_))
        });
        let named = ["10.0.0.0/8"];
        check(&named, "8.8.8.8", |it| {
            matches!(it, PolicyRefusal::Astray { .. })
        });
        check(&named, "127.0.0.1", |it| {
            matches!(it, PolicyRefusal::Address { .. })
        });
        assert_eq!(answers(&allowing(&named), host, &["10.0.0.1"]), Ok(()));
    }
}

#[test]
fn plain_spellings_of_public_targets_pass() {
    let target = |url: &str| Policy::default().target(url).unwrap();
    assert_eq!(
        target("https://XN--CAF-DMA.example./").host(),
        "xn--caf-dma.example"
    ); // U27
    for url in [
        "https://good.example/a%0d%0aX:%20y", // U20
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
