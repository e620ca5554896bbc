use overdue::policy::*;
use overdue::schedule::*;
fn main() {
    let z: chrono_tz::Tz = "Antarctica/Casey".parse().unwrap();
    let s = Schedule::crontab("* */25 * * */2", z).unwrap();
    let f = "2023-03-09T06:33:00Z".parse().unwrap();
    println!("{:?} {:?}", s.previous(f, f, Quirks::NONE), s.previous(f, f, Quirks::ALL));
    for h in [
        "2023-03-08T12:00:00Z",
        "2023-03-08T15:59:00Z",
        "2023-03-08T16:00:00Z",
        "2023-03-08T16:59:00Z",
        "2023-03-08T17:59:00Z",
    ] {
        let t: chrono::DateTime<chrono::Utc> = h.parse().unwrap();
        println!("{}", t.with_timezone(&z));
    }
}
