//! Is every address, spelling and behaviour that has led a sender astray refused, when a journey is
//! checked and when its request is sent, in the same words? The rows are the data files beside this
//! one; what they do on the wire is tested where the wire is (`behaviours.txt` says where).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test target: an assumption that fails is a test that fails"
)]

mod rows;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use wayfare_journey::address::AddressRefusal;
use wayfare_journey::diagnostic::Code;
use wayfare_runtime::config::Settings;
use wayfare_webhook::{Client, PolicyRefusal, Secrets, Unready};

use rows::{ADDRESSES, ANSWERS, URLS, rows};

/// What the checker says of a journey whose webhook goes to this URL; nothing when it is sound.
fn checked(settings: &Settings, url: &str) -> Option<String> {
    let journey = format!(
        "journey: j\ndescription: d\ntrigger: {{ event: A }}\nentry: {{ again: once }}\nblocks:\n  \
         send:\n    webhook:\n      method: POST\n      url: {}\n      \
         consent: {{ basis: contract, because: it is a test }}\n      payload: {{}}\n",
        serde_json::to_string(url).unwrap()
    );
    let problems = settings.compile(&journey).err()?;
    let [problem] = problems.as_slice() else {
        panic!("{url}: {problems:?}")
    };
    let of_urls = [Code::InvalidUrl, Code::LiteralSecret, Code::Placeholder];
    assert!(of_urls.contains(&problem.code), "{url}: {problem:?}");
    let hint = problem.hint.iter().map(|hint| format!(", {hint}"));
    Some(format!("{}{}", problem.message, hint.collect::<String>()))
}

/// What the guard says when a request to this URL is about to leave.
async fn sent(settings: &Settings, url: &str) -> Result<Vec<SocketAddr>, PolicyRefusal> {
    let client = Client::new(settings.policy(), Arc::new(Secrets::stand_ins()));
    match client.resolve(url).await {
        Ok(addresses) => Ok(addresses),
        Err(Unready::Policy(refusal)) => Err(refusal),
        Err(Unready::Dns { host, why }) => panic!("{host} was looked up: {why}"),
    }
}

/// What the guard says of these answers for a name.
fn answered(
    settings: &Settings,
    host: &str,
    answers: &[IpAddr],
) -> Result<Vec<SocketAddr>, PolicyRefusal> {
    let policy = settings.policy();
    let target = policy.target(&format!("https://{host}/hook"))?;
    policy.vet(&target, answers)
}

/// An address as the host of a URL.
fn literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("https://{address}/hook"),
        IpAddr::V6(address) => format!("https://[{address}]/hook"),
    }
}

fn kind(why: AddressRefusal) -> &'static str {
    match why {
        AddressRefusal::Loopback => "loopback",
        AddressRefusal::Private => "private",
        AddressRefusal::LinkLocal => "link-local",
        AddressRefusal::Metadata => "metadata",
        AddressRefusal::Reserved => "reserved",
        AddressRefusal::Multicast => "multicast",
        AddressRefusal::Embedded => "embedded",
    }
}

#[tokio::test]
async fn an_address_is_refused_as_a_literal_and_as_an_answer_in_the_words_of_the_checker() {
    let settings = Settings::default();
    for row in rows(ADDRESSES) {
        let [expected, address] = row.fields();
        let address: IpAddr = address.parse().unwrap();
        let dialled = vec![SocketAddr::new(address, 443)];
        let url = literal(address);
        let said = checked(&settings, &url);
        for found in [
            sent(&settings, &url).await,
            answered(&settings, "good.example", &[address]),
        ] {
            match found {
                Ok(addresses) => {
                    assert_eq!((expected, &addresses), ("open", &dialled), "{row:?}");
                    assert_eq!(said, None, "{row:?}");
                }
                Err(refusal) => {
                    assert_eq!(said, Some(refusal.to_string()), "{row:?}");
                    let PolicyRefusal::Address { why, .. } = refusal else {
                        panic!("{row:?}: {refusal:?}")
                    };
                    assert_eq!(kind(why), expected, "{row:?}");
                }
            }
        }
    }
}

#[tokio::test]
async fn every_spelling_is_refused_when_checked_and_when_sent_in_the_same_words() {
    for row in rows(URLS) {
        let [expected, url] = row.fields();
        let url: String = serde_json::from_str(url).unwrap();
        // As shipped, and where plain http to its host cannot be what is refused.
        let shipped = Settings::default();
        let mut plain = Settings::default();
        let host = url::Url::parse(&url).ok();
        let host = host.as_ref().and_then(url::Url::host_str);
        plain.webhooks.allow_http.extend(host.map(str::to_owned));
        for settings in [&shipped, &plain] {
            let found = settings.policy().target(&url).err();
            let words = found.as_ref().map(ToString::to_string);
            assert_eq!(checked(settings, &url), words, "{row:?}");
            if words.is_some() {
                let refusal = sent(settings, &url).await.unwrap_err();
                assert_eq!(Some(refusal.to_string()), words, "{row:?}");
            }
        }
        let found = match plain.policy().target(&url).err() {
            None => "open",
            Some(PolicyRefusal::Text(_)) => "text",
            Some(PolicyRefusal::Address { .. }) => "address",
            Some(PolicyRefusal::LocalName(_)) => "local",
            Some(PolicyRefusal::Port { .. }) => "port",
            Some(
                refusal @ (PolicyRefusal::PlainHttp(_)
                | PolicyRefusal::Astray { .. }
                | PolicyRefusal::Own(_)),
            ) => panic!("{row:?}: {refusal:?}"),
        };
        assert_eq!(found, expected, "{row:?}");
    }
}

#[test]
fn one_bad_answer_refuses_the_lookup_in_the_words_of_the_checker() {
    let settings = Settings::default();
    for row in rows(ANSWERS) {
        let words: Vec<&str> = row.text.split(' ').collect();
        let [bad, host, answers @ ..] = words.as_slice() else {
            panic!("{row:?}")
        };
        let answers: Vec<IpAddr> = answers.iter().map(|it| it.parse().unwrap()).collect();
        assert_eq!(checked(&settings, &format!("https://{host}/hook")), None);
        match answered(&settings, host, &answers) {
            Ok(dialled) => {
                assert_eq!(*bad, "-", "{row:?}");
                assert!(dialled.iter().map(SocketAddr::ip).eq(answers), "{row:?}");
            }
            Err(refusal) => {
                let said = checked(&settings, &literal(bad.parse().unwrap()));
                assert_eq!(Some(refusal.to_string()), said, "{row:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_url_has_a_largest_size() {
    let settings = Settings::default();
    let url = |bytes: usize| {
        let start = "https://good.example/";
        format!("{start}{}", "a".repeat(bytes - start.len()))
    };
    assert_eq!(checked(&settings, &url(2_048)), None);
    for bytes in [2_049, 3_000] {
        let refusal = sent(&settings, &url(bytes)).await.unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "a url has at most 2048 bytes, shorten it"
        );
        assert_eq!(checked(&settings, &url(bytes)), Some(refusal.to_string()));
    }
}

#[tokio::test]
async fn wayfare_does_not_send_to_where_it_listens() {
    let check = async |listen: &str, url: &str, is_own: bool| {
        let mut settings = Settings::default();
        settings.server.listen = listen.parse().unwrap();
        let networks = ["127.0.0.0/8", "0.0.0.0/8", "::1", "::", "::ffff:127.0.0.1"];
        settings.webhooks.allow_networks = networks.map(|it| it.parse().unwrap()).to_vec();
        settings.webhooks.allow_ports = vec![8080, 8081];
        let refusal = sent(&settings, url).await.err();
        let found = matches!(refusal, Some(PolicyRefusal::Own(_)));
        assert_eq!(found, is_own, "{listen} {url}: {refusal:?}");
        let words = refusal.map(|refusal| refusal.to_string());
        assert_eq!(checked(&settings, url), words, "{listen} {url}");
    };
    let one = "127.0.0.1:8080";
    check(one, "https://127.0.0.1:8080/", true).await;
    check(one, "https://2130706433:8080/", true).await;
    check(one, "https://[::ffff:127.0.0.1]:8080/", true).await;
    check(one, "https://0.0.0.0:8080/", true).await;
    check(one, "https://127.0.0.1:8081/", false).await;
    check(one, "https://127.0.0.2:8080/", false).await;
    check(one, "https://[::1]:8080/", false).await;
    for all in ["0.0.0.0:8080", "[::]:8080"] {
        check(all, "https://127.0.0.1:8080/", true).await;
        check(all, "https://127.0.0.2:8080/", true).await;
        check(all, "https://[::1]:8080/", true).await;
        check(all, "https://[::]:8080/", true).await;
        check(all, "https://127.0.0.1:8081/", false).await;
    }
    let public = "8.8.8.8:443";
    check(public, "https://8.8.8.8/", true).await;
    check(public, "https://8.8.8.8:80/", false).await;
}
