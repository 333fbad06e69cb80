//! The servers of the consumer and Work apps: URL templates, and the public keys that they have. The keys change now and
//! then, so only a new profile takes them; from then on its `pins` count.

/// The mediators of the consumer and Work apps.
pub const PRODUCTION: &str = "wss://mediator-{deviceGroupIdPrefix4}.threema.ch/{deviceGroupIdPrefix8}/";

/// The relays where their devices meet for a join.
pub const PRODUCTION_RENDEZVOUS: &str = "wss://rendezvous-{rendezvousPathPrefix4}.threema.ch/{rendezvousPathPrefix8}/";

/// The mediators of their sandboxes.
pub const SANDBOX: &str = "wss://mediator-{deviceGroupIdPrefix4}.test.threema.ch/{deviceGroupIdPrefix8}/";

/// Those that the phones of 2026 expect, and those that only the desktop of December 2024 does.
const PRODUCTION_PINS: [&str; 10] = [
    "vGQZ8hm2h+km+q7rnJ7kF9S17BwSY0rbhwjz6nIupf0=",
    "2Vpy8qUQCqc2+Lg6BgRO8G6e6vh7NmvVHTljfwP/Pfk=",
    "KKBJHJn1PQSdNTmoAfhxqWTO61r8O8bPi/JeGtP/6gg=",
    "3L0bKTNfTwVUCjYqqhZXJIO03qC00bSnuxZFsb09OUo=",
    "NN6Lb+2AE7CN3HWZKoWOe6mmHROOnywWoKZYWL1oHIU=",
    "efJCZofFPR3oV/bBk0wmehqnhy3Vv+s9P+3sjhHem/E=",
    "8kTK9HP1KHIP0sn6T2AFH3Bq+qq3wn2i/OJSMjewpFw=",
    "h2gHawxPZyMCiZSkJN0dQ4RsDxowVuTmuiNQyjeU+Sk=",
    "HXqz8rMr6nBDdUX3CdyIwln8ym3qFUBwv4QGyMN2uEg=",
    "jsQHAHKQ2oOf3rvMn9GJVIKslkhLpODGOMPSxgLeIyo=",
];

const SANDBOX_PINS: [&str; 3] = [
    "Dvvb0s1E8Y2tG67GoyzIkmJNAebvOqQjz4TnPMq3yhI=",
    "bmsGGaIGEs1HWAUIE082NSPYTURvChScDmE7PjL+5RQ=",
    "/mH2CVdSxVBMuKiRHplBP2GTFWs/l+KXHriAxRFNsaw=",
];

/// The keys that the servers of a template have; none for a template that is not ours to know.
#[must_use]
pub fn pins_of(template: &str) -> &'static [&'static str] {
    match template {
        PRODUCTION => &PRODUCTION_PINS,
        SANDBOX => &SANDBOX_PINS,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::SpkiPin;

    #[test]
    fn all_pins_are_pins() {
        for pin in [PRODUCTION, SANDBOX].into_iter().flat_map(pins_of) {
            assert!(pin.parse::<SpkiPin>().is_ok(), "{pin}");
        }
        assert!(pins_of("wss://mediator.example/").is_empty());
    }
}
