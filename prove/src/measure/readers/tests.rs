use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::*;

fn output(stdout: &str, stderr: &str) -> Output {
    let (stdout, stderr) = (stdout.as_bytes().to_vec(), stderr.as_bytes().to_vec());
    Output { status: ExitStatus::from_raw(0), stdout, stderr }
}

#[test]
fn the_last_line_of_a_reader_is_counted() {
    let output = output("cbor: 2 of 3 vectors agree\nc: 9 of 10 vectors agree\n", "cbor x\nmore\n");
    let judged = parse(Language::C, &output).unwrap();
    assert_eq!((judged.agreed, judged.read, judged.story.as_deref()), (9, 10, Some("cbor x")));
}

#[test]
fn a_reader_that_breaks_off_has_not_judged() {
    for (stdout, stderr) in [("", "SyntaxError\n"), ("cbor: 1 of 1 vectors agree\n", "x\n")] {
        let trouble = parse(Language::Python, &output(stdout, stderr)).unwrap_err();
        assert!(matches!(trouble, Trouble::Tool(note) if note.contains(stderr.trim())));
    }
}

#[test]
fn a_tool_that_is_not_there_is_named() {
    let mut command = Command::new("no-such-tool-of-any-name");
    let trouble = run(Language::JavaScript, &mut command).unwrap_err();
    assert!(matches!(trouble, Trouble::Tool(note) if note == "node is not installed"));
}

#[test]
fn a_reader_that_disagrees_is_heard() {
    let dir = tempfile::tempdir().unwrap();
    write_vectors(dir.path(), 1).unwrap();
    let family = dir.path().join("damaged/hash.json");
    let text = fs::read_to_string(&family).unwrap();
    // As if the engine had another checksum: of all damaged vectors of a family, none agrees.
    let wrong = text.replace("\"crc32\":\"", "\"crc32\":\"0");
    fs::write(&family, &wrong).unwrap();
    let index = dir.path().join("damaged/index.json");
    let listed = fs::read_to_string(&index).unwrap();
    let digest = |text: &str| proofhouse_golden::sha256(text.as_bytes());
    fs::write(index, listed.replace(&digest(&text), &digest(&wrong))).unwrap();
    for language in Language::ALL {
        match judge(language, dir.path()) {
            Ok(judged) => {
                assert_eq!(judged.read - judged.agreed, SAMPLE as u64, "{judged:?}");
                assert!(judged.story.is_some_and(|story| story.starts_with("hash damaged/")));
            }
            // Without the tool there is nothing to hear.
            Err(trouble) => assert!(matches!(trouble, Trouble::Tool(_)), "{trouble:?}"),
        }
    }
}
