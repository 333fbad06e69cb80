//! Readers who do not read, or have gone.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::one_shot::{
    BOTH, MONITOR, PATIENCE, command, ends_soon, lines_of, mediator, other_device, rest_of, signal,
};
use crate::support::pipe::full_pipe;
use crate::support::program::Mediator;

#[test]
fn a_reader_who_does_not_read_keeps_nobody_from_ending() {
    for dialect in BOTH {
        for arguments in [
            &["probe", "-i", "10ms", "--stay-leader"][..],
            &["devices", "--watch-changes", "--every", "1s", "--stay-leader", "--json"],
        ] {
            let mediator = mediator();
            let (reader, writer) = full_pipe();
            let mut command = command(&mediator, dialect, arguments);
            let mut child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
            drop(command);
            let remarks = lines_of(child.stderr.take().unwrap());
            if arguments[0] == "probe" {
                remarks.recv_timeout(PATIENCE).expect("it is made leader");
            }
            // There is something to print now.
            other_device(&mediator, dialect, MONITOR, "Work laptop");
            signal(&child, Signal::TERM);
            let code = ends_soon(&mut child);
            assert_eq!(code, Some(0), "{dialect}, {arguments:?}: {}", rest_of(&remarks));
            drop(reader);
        }
    }
}

#[test]
fn a_reader_who_has_gone_ends_what_goes_on() {
    for dialect in BOTH {
        let mediator = mediator();
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = command(&mediator, dialect, &["probe", "-i", "10ms", "--stay-leader"]);
        let mut child = command.stdout(writer).spawn().unwrap();
        drop(command);
        let mut lines = BufReader::new(reader).lines();
        assert!(lines.any(|line| line.unwrap().contains("seq=1")));
        drop(lines);
        assert_eq!(ends_soon(&mut child), Some(0), "{dialect}");
    }
}

/// The reader leaves with the line that tells of the end; the exit code tells it all the same.
#[test]
fn a_reader_who_leaves_at_the_end_does_not_make_a_failure_a_success() {
    for dialect in BOTH {
        let mediator = Mediator::start(&["--max-slots", "1"]);
        other_device(&mediator, dialect, MONITOR, "the only one");
        for _ in 0..10 {
            let (reader, writer) = std::io::pipe().unwrap();
            let mut command = command(&mediator, dialect, &["watch"]);
            let mut child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
            drop(command);
            let remarks = lines_of(child.stderr.take().unwrap());
            let mut lines = BufReader::new(reader).lines();
            assert!(lines.any(|line| line.unwrap().contains("disconnected")), "{dialect}");
            drop(lines);
            assert_eq!(child.wait().unwrap().code(), Some(3), "{dialect}");
            assert!(rest_of(&remarks).contains("all device slots are taken"), "{dialect}");
        }
    }
}

/// Nobody was to be told, so nothing has failed.
#[test]
fn a_probe_that_nobody_ever_reads_is_no_failure() {
    for dialect in BOTH {
        let mediator = mediator();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = command(&mediator, dialect, &["probe", "-c", "1"]);
        let probed = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert_eq!(probed.status.code(), Some(0), "{dialect}: {}", String::from_utf8_lossy(&probed.stderr));
    }
}

#[test]
fn a_reader_who_has_gone_is_noticed_although_there_is_nothing_to_print() {
    for dialect in BOTH {
        for arguments in [
            &["watch", "--only", "left_out", "--stay-leader"][..],
            &["devices", "--watch-changes", "--stay-leader", "--json"],
        ] {
            let mediator = mediator();
            let (reader, writer) = std::io::pipe().unwrap();
            let mut command = command(&mediator, dialect, arguments);
            let mut child = command.stdout(writer).spawn().unwrap();
            drop(command);
            mediator.await_logged("promoted", 1);
            assert_eq!(child.try_wait().unwrap(), None, "{dialect}, {arguments:?}: somebody could read");
            drop(reader);
            assert_eq!(ends_soon(&mut child), Some(0), "{dialect}, {arguments:?}");
        }
    }
}
