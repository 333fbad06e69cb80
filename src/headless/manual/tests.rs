//! Pages of Markdown as text.

use unicode_width::UnicodeWidthStr;

use super::render::{CODE_INDENT, render};

const PAGE: &str = "# Page\n\nSome `code here`, **strong words** and [a page](watch.md#events), [a \
                    file](../assets/x.json).\n\n- one\n- two words\n\nthen\n\n3. three\n4. four\n\n```console\n$ d2mtop   x\n```\n\n<!-- mark -->\n| key | does \
                    |\n|---|---|\n| `a\\|b` | much more than fits |\n| | 日本 |\n";

#[test]
fn a_page_reads_well_without_colours() {
    let expected = "Page\n====\n\nSome `code here`,\nstrong words and a\npage (d2mtop manual\nwatch), a file\n\
                    (assets/x.json).\n\n- one\n- two words\n\nthen\n\n3. three\n4. four\n\n    $ d2mtop   x\n\nkey    does\n-----  \
                    -------------\n`a|b`  much more\n       than fits\n       日本\n";
    assert_eq!(render(PAGE, 20, false), expected);
}

#[test]
fn escape_codes_surround_what_stands_out_and_take_no_room() {
    let page = render(PAGE, 40, true);
    assert!(
        page.starts_with("\x1b[1mPage\x1b[0m\n\nSome \x1b[36mcode here\x1b[0m, \x1b[1mstrong words\x1b[0m"),
        "{page}"
    );
    assert!(page.contains("\n\x1b[36ma|b\x1b[0m  much more than fits\n     日本\n"), "{page}");
}

#[test]
fn nothing_but_code_is_wider_than_the_page() {
    for width in [30, 47, 80, 100] {
        let page = render(PAGE, width, false);
        let widest = page.lines().filter(|line| !line.starts_with(CODE_INDENT)).map(UnicodeWidthStr::width).max();
        assert!(widest <= Some(width), "{width}: {page}");
    }
}
