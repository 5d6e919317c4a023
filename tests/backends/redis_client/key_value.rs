//! Key-value pairs in a Redis database, under the contract that the embedded store keeps.

use thumbs::capabilities::key_value::{Backend as _, EmbeddedStore, RedisStore, contract};

use super::*;

fn store_in(client: &Client, url: &str) -> RedisStore {
    RedisStore::new(client, url, "default", &Limits::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn key_value_stores_keep_their_contract() {
    let folder = tempfile::TempDir::new().unwrap();
    let embedded = || EmbeddedStore::new(folder.path(), "default", &Limits::default());
    contract::holds(&embedded()).await;
    contract::survives(&embedded(), &embedded()).await;

    let Some(redis) = available(Redis::start_with_password("hunter2")) else { return };
    let store =
        |database: u32| store_in(&Client::new(&Limits::default()), &format!("{}/{database}", redis.url()));
    contract::holds(&store(1)).await;
    contract::survives(&store(1), &store(1)).await;
    assert_eq!(store(2).get("kept", 10).await.unwrap(), None, "databases do not share keys");
    assert_eq!(store(1).summary(), format!("{}/1", redis.outbound()), "no password in the banner");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_value_store_in_redis_is_laid_out_as_spins_and_lists_only_what_it_can_read() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&Limits::default());
    let store = store_in(&client, &redis.url());
    store.set("mine", b"value\0".to_vec()).await.unwrap();
    let mut session = open(&client, &redis.url()).await;
    assert_eq!(text(&run(&mut session, "GET mine").await.unwrap()), "value\0", "a plain key");
    run(&mut session, "SET theirs 7").await.unwrap();
    run(&mut session, "SADD a-set x").await.unwrap();
    let binary = vec![RedisParameter::Binary(vec![0xff]), RedisParameter::Binary(vec![1])];
    session.command("SET", binary).await.unwrap();
    run(&mut session, &format!("SET {} 1", "k".repeat(1_025))).await.unwrap();
    assert_eq!(store.get("theirs", 10).await.unwrap().as_deref(), Some(&b"7"[..]));
    assert_eq!(store.keys(10).await.unwrap(), ["mine", "theirs"]);
    let wrong_type = store.get("a-set", 10).await.unwrap_err().to_string();
    assert!(wrong_type.contains("\"default\"") && wrong_type.contains("WRONGTYPE"), "{wrong_type}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_takes_several_steps_and_stops_at_its_bound() {
    let Some(redis) = available(Redis::start()) else { return };
    let client = Client::new(&Limits::default());
    let store = store_in(&client, &redis.url());
    let mut session = open(&client, &redis.url()).await;
    let script = "for i = 1, 5000 do redis.call('set', 'key-' .. i, 'x') end";
    let arguments = vec![RedisParameter::Binary(script.into()), RedisParameter::Int64(0)];
    session.command("EVAL", arguments).await.unwrap();
    assert_eq!(store.keys(5_000).await.unwrap().len(), 5_000);
    run(&mut session, "CONFIG RESETSTAT").await.unwrap();
    assert!(store.keys(4_999).await.unwrap_err().to_string().contains("more than 4999 keys"));
    run(&mut session, "CONFIG RESETSTAT").await.unwrap();
    assert!(store.keys(100).await.unwrap_err().to_string().contains("more than 100 keys"));
    let stats = text(&run(&mut session, "INFO commandstats").await.unwrap());
    assert!(stats.contains("cmdstat_scan:calls=1,"), "no further than the bound: {stats}");
    assert!(!stats.contains("cmdstat_keys"), "KEYS holds the server up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_over_the_bound_is_not_moved() {
    let Some(redis) = available(Redis::start()) else { return };
    let limits = Limits { redis_max_exchange_bytes: 100_000, ..Limits::default() };
    let store = store_in(&Client::new(&limits), &redis.url());
    let mut session = open(&Client::new(&Limits::default()), &redis.url()).await;
    run(&mut session, "SETRANGE large 999999 x").await.unwrap();
    let too_large = store.get("large", 1_000).await.unwrap_err().to_string();
    assert!(too_large.contains("more than 1000 bytes"), "{too_large}");
    // Had it been moved, it would have ended the connection.
    assert!(store.exists("large").await.unwrap());
    let refused = store.set("k", vec![0; 100_001]).await.unwrap_err().to_string();
    assert!(refused.contains("at most 100000 bytes"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_value_store_fails_while_its_server_is_gone_and_goes_on_after() {
    let Some(mut redis) = available(Redis::start_with_password("hunter2")) else { return };
    let store = store_in(&Client::new(&impatient()), &redis.url());
    store.set("k", b"v".to_vec()).await.unwrap();
    redis.kill();
    let gone = store.get("k", 10).await.unwrap_err().to_string();
    assert!(gone.contains("can't be reached") && !gone.contains("hunter2"), "{gone}");
    redis.restart();
    assert_eq!(store.get("k", 10).await.unwrap().as_deref(), Some(&b"v"[..]));
}
