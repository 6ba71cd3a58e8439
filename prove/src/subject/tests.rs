use super::*;

fn problem(text: &str) -> String {
    match choose(text, &Driving::default(), Path::new("/tmp")) {
        Ok(_) => "none".to_owned(),
        Err(problem) => problem.to_string(),
    }
}

#[test]
fn names_come_before_commands() {
    assert!(matches!(
        choose("tiny", &Driving::default(), Path::new("/tmp")),
        Ok(Chosen::Placed(_))
    ));
    assert!(problem("nobody").starts_with("no subject \"nobody\""));
    assert!(problem("flawed:no such flaw").starts_with("no subject"));
}

#[test]
fn a_command_that_says_no_hello_is_one_line() {
    let told = problem("/no/such/driver --now");
    assert!(told.starts_with("the driver exited with code 127"), "{told}");
    assert_eq!(told.lines().count(), 1);
}
