//! [`Emoji`]: what two people compare instead of the digits of a hash.

use std::fmt;

/// Picture and name, in the order that every app has them in. Phones show the pictures only; the names are our own.
const EMOJI: [(&str, &str); 128] = [
    ("\u{1f435}", "monkey"),
    ("\u{1f436}", "dog"),
    ("\u{1f429}", "poodle"),
    ("\u{1f98a}", "fox"),
    ("\u{1f408}\u{200d}\u{2b1b}", "black cat"),
    ("\u{1f434}", "horse"),
    ("\u{1f9ac}", "bison"),
    ("\u{1f42e}", "cow"),
    ("\u{1f437}", "pig"),
    ("\u{1f42a}", "camel"),
    ("\u{1f992}", "giraffe"),
    ("\u{1f418}", "elephant"),
    ("\u{1f42d}", "mouse"),
    ("\u{1f430}", "rabbit"),
    ("\u{1f43f}\u{fe0f}", "chipmunk"),
    ("\u{1f43c}", "panda"),
    ("\u{1f998}", "kangaroo"),
    ("\u{1f414}", "chicken"),
    ("\u{1f54a}\u{fe0f}", "dove"),
    ("\u{1f986}", "duck"),
    ("\u{1f9a2}", "swan"),
    ("\u{1f989}", "owl"),
    ("\u{1f9a4}", "dodo"),
    ("\u{1fab6}", "feather"),
    ("\u{1f9a9}", "flamingo"),
    ("\u{1f438}", "frog"),
    ("\u{1f40b}", "whale"),
    ("\u{1f42c}", "dolphin"),
    ("\u{1f9ad}", "seal"),
    ("\u{1f41f}", "fish"),
    ("\u{1f41a}", "shell"),
    ("\u{1fab2}", "beetle"),
    ("\u{1f578}\u{fe0f}", "spider web"),
    ("\u{1f3f5}\u{fe0f}", "rosette"),
    ("\u{1f33b}", "sunflower"),
    ("\u{1f332}", "fir tree"),
    ("\u{1f33f}", "herb"),
    ("\u{2618}\u{fe0f}", "shamrock"),
    ("\u{1f349}", "watermelon"),
    ("\u{1f34b}", "lemon"),
    ("\u{1f34e}", "apple"),
    ("\u{1f352}", "cherries"),
    ("\u{1f353}", "strawberry"),
    ("\u{1fad0}", "blueberries"),
    ("\u{1f345}", "tomato"),
    ("\u{1f951}", "avocado"),
    ("\u{1f955}", "carrot"),
    ("\u{1f966}", "broccoli"),
    ("\u{1f344}", "mushroom"),
    ("\u{1fad8}", "beans"),
    ("\u{1f9c2}", "salt"),
    ("\u{1f36a}", "cookie"),
    ("\u{1f36b}", "chocolate"),
    ("\u{2615}", "coffee"),
    ("\u{1f9ca}", "ice cube"),
    ("\u{1f962}", "chopsticks"),
    ("\u{1f5fa}\u{fe0f}", "world map"),
    ("\u{1f30b}", "volcano"),
    ("\u{1f3d5}\u{fe0f}", "tent"),
    ("\u{1f3dd}\u{fe0f}", "desert island"),
    ("\u{1f3db}\u{fe0f}", "temple"),
    ("\u{1f682}", "locomotive"),
    ("\u{1f69a}", "truck"),
    ("\u{1f69c}", "tractor"),
    ("\u{1f6e4}\u{fe0f}", "railway track"),
    ("\u{2693}", "anchor"),
    ("\u{1f6f0}\u{fe0f}", "satellite"),
    ("\u{1f680}", "rocket"),
    ("\u{1f319}", "crescent moon"),
    ("\u{2600}\u{fe0f}", "sun"),
    ("\u{2b50}", "star"),
    ("\u{1f308}", "rainbow"),
    ("\u{2602}\u{fe0f}", "umbrella"),
    ("\u{2744}\u{fe0f}", "snowflake"),
    ("\u{2603}\u{fe0f}", "snowman"),
    ("\u{1f525}", "fire"),
    ("\u{1f4a7}", "drop of water"),
    ("\u{2728}", "sparkles"),
    ("\u{1f388}", "balloon"),
    ("\u{1f380}", "ribbon"),
    ("\u{1f947}", "gold medal"),
    ("\u{1f3c0}", "basketball"),
    ("\u{1f3d0}", "volleyball"),
    ("\u{1f3b3}", "bowling"),
    ("\u{1f3d3}", "table tennis"),
    ("\u{26f3}", "golf hole"),
    ("\u{1f3af}", "dartboard"),
    ("\u{1f579}\u{fe0f}", "joystick"),
    ("\u{1f9e9}", "puzzle piece"),
    ("\u{1f9f8}", "teddy bear"),
    ("\u{2660}\u{fe0f}", "spade"),
    ("\u{2665}\u{fe0f}", "heart"),
    ("\u{1f457}", "dress"),
    ("\u{1f451}", "crown"),
    ("\u{1f514}", "bell"),
    ("\u{1f3b7}", "saxophone"),
    ("\u{1f3b8}", "guitar"),
    ("\u{1f5a8}\u{fe0f}", "printer"),
    ("\u{1f4f8}", "camera"),
    ("\u{1f56f}\u{fe0f}", "candle"),
    ("\u{1f4d6}", "open book"),
    ("\u{1f4e6}", "parcel"),
    ("\u{1f4ee}", "postbox"),
    ("\u{1f4dd}", "memo"),
    ("\u{1f4bc}", "briefcase"),
    ("\u{1f4cb}", "clipboard"),
    ("\u{1f512}", "lock"),
    ("\u{1f511}", "key"),
    ("\u{2692}\u{fe0f}", "hammer and pick"),
    ("\u{1fa83}", "boomerang"),
    ("\u{2696}\u{fe0f}", "scales"),
    ("\u{1f517}", "chain link"),
    ("\u{1fa9d}", "hook"),
    ("\u{1f52c}", "microscope"),
    ("\u{1fa91}", "chair"),
    ("\u{1f6bd}", "toilet"),
    ("\u{1f9f9}", "broom"),
    ("\u{1faa3}", "bucket"),
    ("\u{1fae7}", "bubbles"),
    ("\u{26ab}", "black circle"),
    ("\u{1f7e8}", "yellow square"),
    ("\u{25b6}\u{fe0f}", "play button"),
    ("\u{1f4f6}", "signal bars"),
    ("\u{1f4a5}", "explosion"),
    ("\u{1f4ac}", "speech bubble"),
    ("\u{1f4ab}", "dizzy star"),
    ("\u{1f440}", "eyes"),
    ("\u{1f463}", "footprints"),
];

/// One of the 128 pictures.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Emoji(u8);

impl Emoji {
    /// The picture that a byte stands for: the byte modulo 128.
    #[must_use]
    pub const fn of(byte: u8) -> Self {
        Self(byte % 128)
    }

    /// Its number, 0 to 127.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.0
    }

    /// The picture. Terminals disagree about the width of some, and may lack others: never show it without the name.
    #[must_use]
    pub fn picture(self) -> &'static str {
        self.entry().0
    }

    /// What it shows, in one to three words.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    fn entry(self) -> (&'static str, &'static str) {
        EMOJI.get(usize::from(self.0)).copied().unwrap_or_default()
    }
}

impl fmt::Debug for Emoji {
    /// Which it is follows from the keys, and is nobody's business.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Emoji([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::text::Clean;

    #[test]
    fn no_two_look_or_sound_alike() {
        let pictures: BTreeSet<_> = EMOJI.iter().map(|(picture, _)| picture.trim_end_matches('\u{fe0f}')).collect();
        let names: BTreeSet<_> = EMOJI.iter().map(|(_, name)| name).collect();
        assert_eq!((pictures.len(), names.len()), (EMOJI.len(), EMOJI.len()));
    }

    #[test]
    fn all_may_be_shown_as_they_are() {
        for (picture, name) in EMOJI {
            assert_eq!((Clean::new(picture).as_str(), Clean::new(name).as_str()), (picture, name));
        }
    }

    #[test]
    fn a_byte_is_taken_modulo_128() {
        assert_eq!(Emoji::of(128).name(), "monkey");
        assert_eq!(Emoji::of(255), Emoji::of(127));
        assert_eq!(Emoji::of(127).name(), "footprints");
    }
}
