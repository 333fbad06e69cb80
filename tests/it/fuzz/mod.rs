//! The targets of `fuzz/`: every seed, every input that ever failed, and some seconds of fresh ones.
//!
//! A seed is an input that gets far; a failure is one that a rule was broken by, kept under what it is. Both are files in
//! hex, a line each.

mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use targets::{TARGETS, Target};

/// For all targets together, which run on as many threads as there are processors.
const FRESH: Duration = Duration::from_secs(20);

#[test]
fn no_input_breaks_a_rule() {
    let each = FRESH / u32::try_from(TARGETS.len()).unwrap();
    for target in TARGETS {
        let seeds = seeds(target);
        for seed in &seeds {
            run(target, seed);
        }
        let mut random = StdRng::from_entropy();
        let until = Instant::now() + each;
        while Instant::now() < until {
            run(target, &mutated(&seeds, &mut random));
        }
    }
}

/// The inputs that are kept of a target.
fn seeds((name, _): Target) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz/seeds").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let seeds: Vec<Vec<u8>> = lines.map(|line| hex::decode(line).expect("seeds are in hex")).collect();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    seeds
}

fn run((name, target): Target, input: &[u8]) {
    let ran = catch_unwind(AssertUnwindSafe(|| target(input)));
    assert!(
        ran.is_ok(),
        "{name} breaks a rule (above); keep this line in tests/it/fuzz/seeds/{name}:\n{}",
        hex::encode(input)
    );
}

/// A seed with some of it changed, cut out, doubled, or joined with another.
fn mutated(seeds: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut input = seeds[random.gen_range(0..seeds.len())].clone();
    for _ in 0..random.gen_range(1..8) {
        let at = random.gen_range(0..=input.len());
        let end = random.gen_range(at..=input.len()).min(at + 32);
        match random.gen_range(0..6) {
            0 if at < input.len() => input[at] = random.r#gen(),
            1 if at < input.len() => input[at] ^= 1 << random.gen_range(0..8),
            2 => drop(input.drain(at..end)),
            3 => {
                let part = input[at..end].to_vec();
                input.splice(at..at, part);
            }
            4 => {
                let other = &seeds[random.gen_range(0..seeds.len())];
                input.truncate(at);
                input.extend_from_slice(&other[random.gen_range(0..=other.len())..]);
            }
            _ => {
                let fresh: Vec<u8> = (0..random.gen_range(1..16)).map(|_| random.r#gen()).collect();
                input.splice(at..at, fresh);
            }
        }
    }
    input.truncate(8 * 1024);
    input
}
