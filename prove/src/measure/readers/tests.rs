use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::*;

fn output(code: i32, stdout: &str, stderr: &str) -> Output {
    let (stdout, stderr) = (stdout.as_bytes().to_vec(), stderr.as_bytes().to_vec());
    Output { status: ExitStatus::from_raw(code << 8), stdout, stderr }
}

#[track_caller]
fn check_parsed(output: &Output, read: u64, story: Option<&str>) {
    let judged = parse(Language::C, output, 10);
    assert_eq!((judged.read, judged.due, judged.story.as_deref()), (read, 10, story));
}

#[test]
fn the_last_line_of_a_reader_is_counted() {
    let told = "cbor: 2 of 3 vectors agree\nc: 9 of 10 vectors agree\n";
    check_parsed(&output(10, told, "cbor x\nmore\n"), 10, Some("cbor x"));
    check_parsed(&output(0, "c: 10 of 10 vectors agree\n", ""), 10, None);
}

#[test]
fn a_reader_that_breaks_off_is_told_with_its_last_word() {
    for stdout in ["", "cbor: 1 of 1 vectors agree\n"] {
        let output = output(1, stdout, "Traceback\nSyntaxError\n\n");
        check_parsed(&output, 0, Some("breaks off with exit status: 1: SyntaxError"));
    }
    let output = output(139, "c: 10 of 10 vectors agree\n", "");
    check_parsed(&output, 10, Some("breaks off with exit status: 139: no word"));
}

#[test]
fn a_tool_that_is_not_there_is_named() {
    let trouble = run(Language::JavaScript, ["no-such-tool-of-any-name".into()]).unwrap_err();
    assert!(matches!(trouble, Trouble::Tool(note) if note == "node is not installed"));
}

/// Two directories, of seven and five vectors that the reader in C covers.
fn small(dir: &Path) {
    for (name, vectors) in READ.into_iter().zip([3, 1]) {
        let family =
            |family: &str, vectors| format!(r#"{{"family":"{family}","vectors":{vectors}}}"#);
        let families = [family("cbor", vectors), family("hash", 4), family("script", 2)];
        let index = format!(r#"{{"families":[{}]}}"#, families.join(","));
        write(&dir.join(name).join("index.json"), index.as_bytes()).unwrap();
    }
}

/// What a shell's script, in the reader's place, is found to be: what is wrong with it, of 12 vectors.
#[track_caller]
fn check_shell(script: &str, story: Option<&str>, read: u64) {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let words = ["sh", "-c", script, "reader"].map(OsString::from);
    let (found, evidence) = told(ask(Language::C, &words, dir.path()));
    assert_eq!(found.as_deref(), story, "{script}");
    let Evidence { done, possible, stopped, .. } = evidence;
    assert_eq!((done, possible, stopped), (read, Some(12), None), "{script}");
}

#[test]
fn a_reader_is_held_against_the_number_of_vectors_in_the_index() {
    let honest = r#"case $1 in *vectors) n=7;; *) n=5;; esac; echo "c: $n of $n vectors agree""#;
    check_shell(honest, None, 12);
    let skips = "echo c: 4 of 4 vectors agree";
    let story =
        "vectors: reads 4 vectors, where 7 of its families are listed; 8 of 12 vectors agree";
    check_shell(skips, Some(story), 8);
}

#[test]
fn a_reader_that_crashes_is_a_finding() {
    let killed = "echo last word >&2; kill -9 $$";
    check_shell(
        killed,
        Some("vectors: breaks off with signal: 9 (SIGKILL): last word; 0 of 12 vectors agree"),
        0,
    );
    let refuses = "echo x >&2; exit 1";
    check_shell(
        refuses,
        Some("vectors: breaks off with exit status: 1: x; 0 of 12 vectors agree"),
        0,
    );
    check_shell(
        "",
        Some("vectors: breaks off with exit status: 0: no word; 0 of 12 vectors agree"),
        0,
    );
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
                assert_eq!(judged.read, judged.due, "{judged:?}");
                assert_eq!(judged.read - judged.agreed, SAMPLE as u64, "{judged:?}");
                let heard = |story: String| story.starts_with("damaged: hash damaged/");
                assert!(judged.story.is_some_and(heard), "{language:?}");
            }
            // Without the tool there is nothing to hear.
            Err(trouble) => assert!(matches!(trouble, Trouble::Tool(_)), "{trouble:?}"),
        }
    }
}
