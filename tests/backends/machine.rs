//! The job machine in every order over PostgreSQL: less of what `machine/` looks at over SQLite, for each step is several round trips.

use postgres::{Client, NoTls};
use thumbs_machine::{Engine, World, explore, scenarios};
use thumbs_tests::driver::Driver;
use thumbs_tests::servers::{self, Auth, Postgres};

/// Of each scenario.
const STATES: usize = 300;

#[test]
fn no_order_of_steps_breaks_a_rule_on_postgresql() {
    let Some(server) = servers::available(Postgres::start(Auth::Trust)) else { return };
    for (number, (scenario, retention)) in scenarios(1, STATES).into_iter().enumerate() {
        let url = server.create_database(&format!("machine_{number}"));
        let driver = Driver::new(Client::connect(&url, NoTls).unwrap());
        let world = World::new(Box::new(driver), Engine::Postgres, retention, None);
        let explored =
            explore(&world, &scenario).unwrap_or_else(|broken| panic!("{}: {broken}", scenario.name));
        println!("{}: {explored:?}", scenario.name);
    }
}
