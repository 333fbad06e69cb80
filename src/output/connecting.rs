//! Why no connection could be made, for people: what happened, as `net` says it, and what to do about it by option.

use std::borrow::Cow;

use crate::net::{AddressError, ConnectError, TlsFault, Unusable};

/// How many of many are named.
const MOST_LISTED: usize = 3;

/// Why no connection could be made, and what to do.
#[must_use]
pub fn explain(error: &ConnectError) -> String {
    let told = error.to_string();
    let advice = match error {
        ConnectError::ProxyUnreachable { .. } | ConnectError::ProxyResolve { .. } if told.ends_with('?') => {
            " --proxy none goes without it.".into()
        }
        ConnectError::ProxyUnreachable { .. } | ConnectError::ProxyResolve { .. } => {
            "; --proxy none goes without it".into()
        }
        ConnectError::Tls(fault) | ConnectError::TlsBehindProxy { fault, .. } => tls_advice(fault),
        _ => Cow::default(),
    };
    told + &advice
}

/// Why an address cannot be used, and what to do.
#[must_use]
pub fn explain_address(error: &AddressError) -> String {
    let advice = match error {
        AddressError::Proxy(_) => "; mend it, or say --proxy none",
        AddressError::NoCertificate { .. } => "; --ca takes a PEM file with the authority's certificate",
        _ => "",
    };
    format!("{error}{advice}")
}

fn tls_advice(fault: &TlsFault) -> Cow<'static, str> {
    match fault {
        TlsFault::UntrustedRoot { .. } => {
            "; if the mediator has an authority of its own, name its certificate with --ca FILE".into()
        }
        TlsFault::WrongPin { seen, .. } => {
            format!(". Only if who runs the mediator confirms a new key, use --pin {seen}").into()
        }
        TlsFault::Unusable { what: Unusable::Alone, .. } => {
            ". Who runs the mediator can give the whole chain (fullchain.pem); for an authority of its own, use --ca FILE"
                .into()
        }
        _ => Cow::default(),
    }
}

/// The first of many, so that what comes after them is read, too.
#[must_use]
pub fn listed(all: impl IntoIterator<Item = String>) -> String {
    let mut all = all.into_iter();
    let first: Vec<String> = all.by_ref().take(MOST_LISTED).collect();
    let more = match all.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{ProxyUrl, TlsOptions};
    use crate::protocol::SpkiPin;

    fn host() -> String {
        "mediator.example".to_owned()
    }

    #[test]
    fn many_addresses_are_counted_and_hide_nothing_behind_them() {
        let all = |count: u8| listed((1..=count).map(|last| format!("192.0.2.{last}")));
        assert_eq!(all(1), "192.0.2.1");
        assert_eq!(all(3), "192.0.2.1, 192.0.2.2, 192.0.2.3");
        assert_eq!(all(9), "192.0.2.1, 192.0.2.2, 192.0.2.3 and 6 more");
    }

    #[test]
    fn what_happened_is_followed_by_what_to_do() {
        let seen = SpkiPin([7; 32]);
        let pin = format!("use --pin {seen}");
        let proxy = || ProxyUrl::parse("http://me:hunter2@proxy.example:8080").unwrap();
        let cause = || std::io::Error::other("no such name");
        let cases = [
            (ConnectError::ProxyResolve { proxy: proxy(), cause: cause() }, "--proxy none"),
            (ConnectError::Tls(TlsFault::UntrustedRoot { host: host() }), "--ca FILE"),
            (ConnectError::Tls(TlsFault::WrongPin { host: host(), seen }), &pin),
            (ConnectError::Tls(TlsFault::Unusable { host: host(), what: Unusable::Alone }), "--ca FILE"),
        ];
        for (error, advice) in cases {
            let (what, words) = (error.to_string(), explain(&error));
            assert!(words.starts_with(&what) && words.contains(advice) && !words.contains("hunter2"), "{words}");
            assert!(!what.contains("--"), "{what}");
        }
        let error = ConnectError::Resolve { host: host(), cause: cause() };
        assert_eq!(explain(&error), error.to_string());
        let error = AddressError::NoCertificate { path: "empty.pem".into() };
        assert!(explain_address(&error).ends_with("; --ca takes a PEM file with the authority's certificate"));
    }

    /// Whoever is not told otherwise says what happened and no more.
    #[tokio::test]
    async fn a_link_says_what_to_do_in_the_words_that_it_was_given() {
        use crate::net::{Address, ProxyChoice};
        use crate::session::LinkEnd;

        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let choice = ProxyChoice::Proxy(ProxyUrl::parse(&format!("http://{nobody}")).unwrap());
        let tls = TlsOptions::default();
        let address = Address::new("wss://mediator.example/", &tls).unwrap().through(&choice, &tls, |_| None).unwrap();
        let words = async |address: &Address| match address.connect().await {
            Err(LinkEnd::Unreachable(why)) => why.to_string(),
            _ => String::new(),
        };
        let plain = words(&address).await;
        assert!(plain.contains("cannot be reached") && !plain.contains("--"), "{plain}");
        let told = words(&address.explained_by(explain)).await;
        assert_eq!(told, format!("{plain} --proxy none goes without it."), "after a question comes a sentence");
    }
}
