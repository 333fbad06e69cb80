//! Letters of other scripts, by the Latin letter in the same place of the keyboard.

/// The Cyrillic layout ЙЦУКЕН, Russian and Ukrainian, over QWERTY.
const CYRILLIC: (&str, &str) = ("йцукенгшщзхъфывапролджэячсмитьбюёіїєў", "qwertyuiop[]asdfghjkl;'zxcvbnm,.`s]'o");
/// The same with Shift held, where the Latin side is no capital letter.
const CYRILLIC_SHIFTED: (&str, &str) = ("ХЪЖЭБЮЁЇЄ", "{}:\"<>~}\"");
/// The Greek layout over QWERTY.
const GREEK: (&str, &str) = ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm");

/// The Latin letter or sign in the same place, if this is a letter of a layout that is known.
pub fn latin(character: char) -> Option<char> {
    let same_place = |(from, to): (&str, &str), character: char| {
        from.chars().zip(to.chars()).find(|(own, _)| *own == character).map(|(_, latin)| latin)
    };
    if let Some(sign) = same_place(CYRILLIC_SHIFTED, character) {
        return Some(sign);
    }
    let small = without_accent(character.to_lowercase().next()?);
    let latin = same_place(CYRILLIC, small).or_else(|| same_place(GREEK, small))?;
    Some(if small == without_accent(character) { latin } else { latin.to_ascii_uppercase() })
}

/// The accent of a Greek vowel is a key of its own.
const fn without_accent(character: char) -> char {
    match character {
        'ά' => 'α',
        'έ' => 'ε',
        'ή' => 'η',
        'ί' => 'ι',
        'ό' => 'ο',
        'ύ' => 'υ',
        'ώ' => 'ω',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_acts_as_the_latin_one_in_its_place() {
        for (letters, same) in [
            ("йцукенгшщзфывапролдячсмить", "qwertyuiopasdfghjklzxcvbnm"),
            ("ЙЦУКЕНГШЩЗФЫВАПРОЛДЯЧСМИТЬ", "QWERTYUIOPASDFGHJKLZXCVBNM"),
            ("хъжэХЪЖ", "[];'{}:"),
            ("іІ", "sS"),
            ("ςερτυθιοπασδφγηξκλζχψωβνμ", "wertyuiopasdfghjklzxcvbnm"),
            ("ΔΛάΏ", "DLaV"),
        ] {
            assert_eq!(letters.chars().map(|letter| latin(letter).unwrap()).collect::<String>(), same);
        }
        for other in ['q', 'D', '?', 'ü', 'ש', '漢'] {
            assert_eq!(latin(other), None, "{other}");
        }
        for (from, to) in [CYRILLIC, CYRILLIC_SHIFTED, GREEK] {
            assert_eq!(from.chars().count(), to.chars().count());
        }
    }
}
