//! Scripted gRPC servers by hand: commands on standard input, answers on standard output.

use etcd3_scripted::{help, Scripted};
use std::io::BufRead;

fn main() -> std::io::Result<()> {
    let scripted = Scripted::start()?;
    println!("control {}", scripted.control());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match line.trim() {
            "" => {}
            "help" => print!("{}", help()),
            command => match scripted.command(command) {
                Ok(answer) => println!("ok {answer}"),
                Err(error) => println!("{error}"),
            },
        }
    }
    Ok(())
}
