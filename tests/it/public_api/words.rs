//! Code as people write it, out of the compiler's tokens.

use quote::ToTokens;

/// One line, with the usual spaces.
pub fn joined(code: &impl ToTokens) -> String {
    let mut text = code.to_token_stream().to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let tight = [
        (" ::", "::"),
        (":: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        (" :", ":"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" [", "["),
        ("[ ", "["),
        (" ]", "]"),
        ("& ", "&"),
        (" ;", ";"),
        ("# [", "#["),
        (" !", "!"),
        (" .", "."),
        ("* ", "*"),
        (", }", " }"),
        // Some of it was too tight.
        ("->(", "-> ("),
        ("->[", "-> ["),
        (":[", ": ["),
        (",[", ", ["),
        (",(", ", ("),
        ("=[", "= ["),
        ("mut[", "mut ["),
        ("=(", "= ("),
        ("dyn(", "dyn ("),
        ("const[", "const ["),
    ];
    for (from, to) in tight {
        text = text.replace(from, to);
    }
    text
}
