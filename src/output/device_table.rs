//! The list of devices for people: a line for each.

use std::collections::BTreeMap;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::columns::aligned;
use super::times::Zone;
use crate::group::ListedDevice;
use crate::protocol::{DeviceActivity, DeviceId, ExpirationPolicy, Millis};
use crate::text::screen::on_screen;

/// How wide a column may be, unless everything is wanted.
const NARROW: usize = 24;

/// The lines, headings first. Times are by our clock, which the mediator's is so many milliseconds ahead of.
#[must_use]
pub fn lines(listed: &BTreeMap<DeviceId, ListedDevice>, own: DeviceId, ahead: i64, wide: bool) -> Vec<String> {
    let headings = ["DEVICE", "NAME", "APP", "STATE", "SLOT", "DETAILS"].map(str::to_owned);
    let columns = if wide { headings.len() } else { 4 };
    let mut rows = vec![headings];
    rows.extend(listed.iter().map(|(id, device)| row(*id, device, *id == own, ahead)));
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            row.into_iter()
                .take(columns)
                .map(|cell| on_screen(&cell).into_owned())
                .map(|cell| if wide { cell } else { cut(cell) })
                .collect()
        })
        .collect();
    aligned(&rows)
}

fn row(id: DeviceId, device: &ListedDevice, own: bool, ahead: i64) -> [String; 6] {
    let (name, app, details) = match &device.info {
        Ok(info) => (
            if info.label.is_empty() { "-".to_owned() } else { info.label.to_string() },
            info.app(),
            info.platform_details.to_string(),
        ),
        Err(error) => ("! unreadable".to_owned(), "-".to_owned(), error.to_string()),
    };
    let state = if own { "this device".to_owned() } else { state(device.activity, ahead) };
    let slot = match device.expiration_policy {
        Some(ExpirationPolicy::Volatile) => "volatile",
        Some(ExpirationPolicy::Persistent) => "persistent",
        None => "unknown",
    };
    [id.to_string(), name, app, state, slot.to_owned(), details]
}

fn state(activity: DeviceActivity, ahead: i64) -> String {
    let minute = |at: Millis| Zone::Local.show(at.offset_by(ahead.saturating_neg()), "%-d %b %H:%M");
    match activity {
        DeviceActivity::ConnectedSince(at) => format!("on since {}", minute(at)),
        DeviceActivity::LastDisconnect(at) => format!("off since {}", minute(at)),
        DeviceActivity::LastLogin(at) => format!("login {}", minute(at)),
        DeviceActivity::Unknown => "not told".to_owned(),
    }
}

fn cut(cell: String) -> String {
    if cell.width() <= NARROW {
        return cell;
    }
    let mut kept = String::new();
    for cluster in cell.graphemes(true) {
        if kept.width() + cluster.width() >= NARROW {
            break;
        }
        kept.push_str(cluster);
    }
    kept + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::d2d::Platform;
    use crate::protocol::{DeviceInfo, OpenError};
    use crate::text::Clean;

    fn device(label: &str) -> ListedDevice {
        let info = DeviceInfo {
            platform: Platform::Android,
            platform_details: Clean::new("Google Pixel 9"),
            app_version: Clean::new("6.4.2"),
            label: Clean::new(label),
        };
        ListedDevice {
            info: Ok(info),
            activity: DeviceActivity::Unknown,
            expiration_policy: Some(ExpirationPolicy::Persistent),
        }
    }

    #[test]
    fn columns_stand_under_each_other_whatever_the_names() {
        let unreadable = ListedDevice { info: Err(OpenError::DoesNotDecrypt), ..device("") };
        let named = ["Pixel 9", "日本語の名前の長い長い長い端末", "", "evil\u{1b}[2Jname of a device without an end"];
        let mut listed: BTreeMap<DeviceId, ListedDevice> = (1..).map(DeviceId).zip(named.map(device)).collect();
        listed.insert(DeviceId(9), unreadable);
        for wide in [false, true] {
            let lines = lines(&listed, DeviceId(1), 0, wide);
            assert_eq!(lines.len(), 6);
            let column = |line: &String, text: &str| line.find(text).map(|at| line[..at].width());
            let app = column(&lines[0], "APP");
            for line in &lines[1..5] {
                assert_eq!(column(line, "Android"), app, "{line}");
            }
            assert!(lines[1].contains("this device") && lines[5].contains("! unreadable"), "{lines:#?}");
            assert_eq!(lines[1].contains("Google Pixel 9"), wide, "details only where there is room");
            assert_eq!(lines.iter().any(|line| line.contains('…')), !wide, "{lines:#?}");
            assert!(!lines.concat().contains('\u{1b}'));
        }
    }

    #[test]
    fn times_are_by_our_clock() {
        let at = Millis(1_795_788_131_204);
        for (activity, word) in [
            (DeviceActivity::ConnectedSince as fn(Millis) -> DeviceActivity, "on since"),
            (DeviceActivity::LastDisconnect, "off since"),
            (DeviceActivity::LastLogin, "login"),
        ] {
            let told = state(activity(at.offset_by(34 * 60_000)), 34 * 60_000);
            assert_eq!(told, state(activity(at), 0));
            assert!(told.starts_with(word), "{told}");
        }
    }
}
