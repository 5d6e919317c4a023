//! Memory: per instance, over all its memories, over all instances; tables and handles.

use thumbs::limits::Limits;

use crate::{
    app::App,
    client::{Exchange, get},
    guests::{message, request, request_with_extra},
};

const OK: &str = "(call $answer (local.get $out) (i32.const 200))";
const MIB: u64 = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_gets_as_much_memory_as_it_may_have_and_no_more() {
    // Two pages at the start, and as many more as fit under 2 MiB in steps of one MiB.
    let grow = r"(if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
        (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
        (call $answer (local.get $out) (i32.const 200))";
    let service = App::new()
        .serving("grow", &request("", grow), "")
        .serving("hog", &request("", "(call $take-all-memory)"), "")
        .start(Limits { max_request_memory_bytes: 2 * MIB, ..Limits::default() })
        .await;
    assert_eq!(get(service.address(), "/grow").await.status, 200, "refused growth is not the end of a guest");
    let reply = get(service.address(), "/hog").await;
    reply.is_problem(503, "out-of-memory");
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(get(service.address(), "/grow").await.status, 200, "what the hog had is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_did_without_memory_and_traps_later_has_trapped() {
    let divide =
        "(drop (memory.grow (i32.const 64))) (drop (i32.div_u (i32.const 1) (i32.load (i32.const 1000))))";
    let service = App::new()
        .serving("divide", &request("", divide), "")
        .start(Limits { max_request_memory_bytes: 2 * MIB, ..Limits::default() })
        .await;
    get(service.address(), "/divide").await.is_problem(500, "internal");
    let line = service.line(|line| line.event == "request-failed").await;
    assert_eq!(line.fields["reason"], "trap");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_instances_together_are_bounded() {
    let service = App::new()
        .serving("hog", &request("", "(call $take-all-memory)"), "")
        .serving("ok", &request("", OK), "")
        .start(Limits {
            max_total_memory_bytes: MIB,
            max_request_memory_bytes: 100 * MIB,
            ..Limits::default()
        })
        .await;
    for _ in 0..3 {
        get(service.address(), "/hog").await.is_problem(503, "out-of-memory");
        assert_eq!(get(service.address(), "/ok").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memories_of_composed_components_count_together() {
    // The dependency has 1.25 MiB, and the component that it is plugged into takes one: either fits under 2 MiB, both do not.
    let dependency = wat::parse_str(
        r#"(component
            (core module $m (memory (export "memory") 20) (func (export "touch")))
            (core instance $i (instantiate $m))
            (func $touch (canon lift (core func $i "touch")))
            (instance $extra (export "touch" (func $touch)))
            (export "thumbs:guests/extra" (instance $extra)))"#,
    )
    .unwrap();
    let take_one = "(call $touch)
        (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
        (call $answer (local.get $out) (i32.const 200))";
    let app = || {
        App::new().file("extra.wasm", &dependency).serving(
            "both",
            &request_with_extra(take_one),
            "dependencies = { \"thumbs:guests/extra\" = { path = \"extra.wasm\" } }",
        )
    };
    let roomy = app().start(Limits { max_request_memory_bytes: 3 * MIB, ..Limits::default() }).await;
    assert_eq!(get(roomy.address(), "/both").await.status, 200);
    let tight = app().start(Limits { max_request_memory_bytes: 2 * MIB, ..Limits::default() }).await;
    get(tight.address(), "/both").await.is_problem(503, "out-of-memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_and_handles_are_bounded() {
    let grow = "(if (i32.eq (table.grow $table (ref.null func) (i32.const 500)) (i32.const -1)) (then (unreachable)))
        (call $answer (local.get $out) (i32.const 200))";
    let handles = "(loop $more (drop (call $new-fields)) (br $more))";
    let app =
        || App::new().serving("grow", &request("", grow), "").serving("handles", &request("", handles), "");
    let roomy = app().start(Limits { max_table_elements: 600, ..Limits::default() }).await;
    assert_eq!(get(roomy.address(), "/grow").await.status, 200);
    get(roomy.address(), "/handles").await.is_problem(500, "internal");
    let line = roomy.line(|line| line.event == "request-failed").await;
    assert_eq!((&*line.component, &line.fields["reason"]), ("handles", &"trap".into()));
    let tight = app().start(Limits { max_table_elements: 400, ..Limits::default() }).await;
    get(tight.address(), "/grow").await.is_problem(503, "out-of-memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_guest_needs_is_not_taken() {
    let refused = |module: &'static str| async move {
        let guest = wat::parse_str(format!("(component (core module {module}))")).unwrap();
        App::new().serving("odd", &guest, "").refused().await
    };
    for module in [
        "(memory i64 1)",
        "(table i64 1 funcref)",
        "(memory 1 1 shared)",
        "(type (struct (field i32)))",
        "(func $f (return_call $f))",
        "(tag)",
    ] {
        let error = refused(module).await;
        assert!(error.contains("odd") && error.contains("can't be compiled"), "{module}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_hands_over_more_than_any_may_is_a_trap() {
    let hand_over = "(drop (memory.grow (i32.const 64)))
        (call $open-store (i32.const 1024) (i32.const 3000000) (i32.const 0))
        (call $answer (local.get $out) (i32.const 200))";
    let app = || App::new().serving("hand", &request("", hand_over), "");
    let roomy = app().start(Limits::default()).await;
    assert_eq!(get(roomy.address(), "/hand").await.status, 200);
    let tight = Limits {
        max_blob_bytes: MIB,
        kv_max_value_bytes: MIB,
        sql_max_value_bytes: MIB,
        redis_max_exchange_bytes: MIB,
        ..Limits::default()
    };
    get(app().start(tight).await.address(), "/hand").await.is_problem(500, "internal");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_take_all_memory_leave_the_messages_theirs() {
    let take = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (call $say (i32.const 64) (i32.const 6)) (call $wait-ms (i64.const 600000))";
    let grow = "(if (i32.eq (memory.grow (i32.const 12)) (i32.const -1)) (then (unreachable)))
        (call $say (i32.const 64) (i32.const 5)) (i32.const 512)";
    let service = App::new()
        .serving("take", &request("taken\\0a", take), "")
        .handling("work", &message("done\\0a", grow), "tick = { every_ms = 10, message = \"{}\" }")
        .start_with(|builder| {
            builder.workers(1).limits(Limits {
                max_total_memory_bytes: 4 * MIB,
                max_message_memory_bytes: MIB,
                ..Limits::default()
            })
        })
        .await;
    let _taking = Exchange::begin(service.address(), "GET /take HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.said("taken").await;
    let done = service.count(|line| line.fields.get("message") == Some(&"done".into()));
    service.said_times("done", done + 2).await;
    assert_eq!(service.count(|line| line.event == "message-failed"), 0, "{:#?}", service.log.lines());
}
