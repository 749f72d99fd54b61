//! What an input does things with: a client of a scripted server, all objects that it has made, and its bytes.

use crate::callers::{self, Caller};
use crate::ground::{self, Ground};
use crate::input::{Data, Input, Text};
use etcd3::ffi::{client::*, config::*, error::*, event::*};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// How deep objects are made for the sake of others: a client for a session for a lock.
const DEPTH: usize = 6;

pub struct World<'a> {
    ground: &'static Ground,
    input: RefCell<Input<'a>>,
    objects: RefCell<HashMap<&'static str, Vec<*mut c_void>>>,
    depth: Cell<usize>,
    /// Arguments are right, as far as that can be seen from here.
    sane: bool,
}

/// A list of texts, as C has it.
pub struct Texts {
    _texts: Vec<Text>,
    pointers: Vec<*const c_char>,
}

impl Texts {
    pub fn ptr(&self) -> *const *const c_char {
        match self.pointers.is_empty() {
            true => std::ptr::null(),
            false => self.pointers.as_ptr(),
        }
    }

    pub fn len(&self) -> usize {
        self.pointers.len()
    }
}

impl<'a> World<'a> {
    pub fn new(ground: &'static Ground, input: Input<'a>, sane: bool) -> Self {
        let world =
            World { ground, input: RefCell::new(input), objects: RefCell::default(), depth: Cell::new(0), sane };
        world.open_client();
        world
    }

    /// Does what the bytes say, up to so many calls.
    pub fn run(&self, most: usize) {
        for _ in 0..most {
            if self.input.borrow().is_empty() {
                return;
            }
            self.one_of(callers::CALLS);
        }
    }

    fn one_of(&self, calls: &[(u16, Caller)]) {
        let place = u16::from_be_bytes([self.byte(), self.byte()]);
        let next = calls.partition_point(|(at, _)| *at < place) % calls.len();
        unsafe { calls[next].1(self) }
    }

    fn open_client(&self) {
        unsafe {
            let config = self.config();
            let mut client = std::ptr::null_mut();
            self.code("etcd3_client_open", |err| etcd3_client_open(config, &mut client, err));
            etcd3_config_free(config);
            self.keep("client", client.cast());
        }
    }

    /// One whose calls end soon.
    unsafe fn config(&self) -> *mut etcd3_config_t {
        let config = etcd3_config_new();
        etcd3_config_add_endpoint(config, self.ground.endpoint.as_ptr());
        etcd3_config_set_timeout(config, ground::LIMIT_MS);
        etcd3_config_set_connect_timeout(config, ground::LIMIT_MS);
        config
    }

    fn byte(&self) -> u8 {
        self.input.borrow_mut().byte()
    }

    /// An object of this kind, made if there is none; now and then NULL.
    pub fn handle(&self, kind: &'static str) -> *mut c_void {
        let choice = self.byte();
        if choice >= 248 && !self.sane {
            return std::ptr::null_mut();
        }
        if self.count(kind) == 0 && self.depth.get() < DEPTH {
            self.make(kind);
        }
        let objects = self.objects.borrow();
        let objects = objects.get(kind).map(Vec::as_slice).unwrap_or_default();
        let object = objects.get(usize::from(choice) % objects.len().max(1)).copied().unwrap_or(std::ptr::null_mut());
        // Whatever was set meanwhile, the calls of a client that is made of it end soon.
        if kind == "config" && !object.is_null() {
            unsafe { etcd3_config_set_timeout(object.cast(), ground::LIMIT_MS) };
        }
        object
    }

    fn make(&self, kind: &'static str) {
        match kind {
            "client" => return self.open_client(),
            // Not to be had from outside.
            "stm" => return,
            _ => {}
        }
        let makers = callers::makers(kind);
        if let Some(maker) = makers.get(usize::from(self.byte()) % makers.len().max(1)) {
            self.depth.set(self.depth.get() + 1);
            unsafe { maker(self) };
            self.depth.set(self.depth.get() - 1);
        }
    }

    fn count(&self, kind: &str) -> usize {
        self.objects.borrow().get(kind).map_or(0, Vec::len)
    }

    /// The same, for good.
    pub fn taken(&self, kind: &'static str) -> *mut c_void {
        let choice = usize::from(self.byte());
        let mut objects = self.objects.borrow_mut();
        let objects = objects.entry(kind).or_default();
        match objects.is_empty() {
            true => std::ptr::null_mut(),
            false => {
                let object = objects.swap_remove(choice % objects.len());
                unsafe { callers::read(kind, object) };
                object
            }
        }
    }

    pub fn keep(&self, kind: &'static str, object: *mut c_void) {
        if object.is_null() {
            return;
        }
        unsafe { callers::read(kind, object) };
        self.objects.borrow_mut().entry(kind).or_default().push(object);
    }

    /// A call that can fail: in time, with an error that says why, and not for a bug.
    pub fn code(&self, name: &str, call: impl FnOnce(*mut *mut etcd3_error_t) -> i32) {
        let mut err = std::ptr::null_mut();
        let code = ground::timed(name, || call(&mut err));
        assert_eq!(code == 0, err.is_null(), "{name} gave {code}");
        if err.is_null() {
            return;
        }
        unsafe {
            callers::read("error", err.cast());
            assert_eq!(etcd3_error_code(err), code, "{name}");
            let message = ground::text(etcd3_error_message(err));
            assert!(!message.is_empty() && code != 99, "{name} gave {code}: {message}");
            etcd3_error_free(err);
        }
    }

    pub fn quiet(&self, name: &str, call: impl FnOnce()) {
        ground::timed(name, call);
    }

    pub fn close(&self, fd: c_int) {
        if fd >= 0 {
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
        }
    }

    pub fn itself(&self) -> *mut c_void {
        std::ptr::from_ref(self).cast_mut().cast()
    }

    /// Whether to ask for an out parameter.
    pub fn wants(&self) -> bool {
        self.sane || self.byte() < 240
    }

    pub fn data(&self) -> Data {
        self.input.borrow_mut().data(self.sane)
    }

    pub fn text(&self) -> Text {
        self.input.borrow_mut().text(self.sane)
    }

    pub fn texts(&self) -> Texts {
        let texts: Vec<_> = (0..self.byte() % 4).map(|_| self.text()).collect();
        let pointers = texts.iter().map(Text::ptr).collect();
        Texts { _texts: texts, pointers }
    }

    pub fn endpoints(&self) -> Texts {
        let texts: Vec<_> = (0..self.byte() % 4).map(|_| self.endpoint()).collect();
        let pointers = texts.iter().map(Text::ptr).collect();
        Texts { _texts: texts, pointers }
    }

    /// None that leads off this machine.
    pub fn endpoint(&self) -> Text {
        let ours = self.ground.endpoint.to_str().unwrap_or_default();
        match self.sane {
            true => self.input.borrow_mut().one_of(&[ours]),
            false => {
                let all = [ours, ours, ours, "127.0.0.1:1", "", "http://", "a b:1", "127.0.0.1:99999", "unix:/nowhere"];
                self.input.borrow_mut().one_of(&all)
            }
        }
    }

    pub fn resolver(&self) -> Text {
        match self.byte() {
            0..=199 => Text::of("127.0.0.1:1"),
            200..=229 => Text::of("?"),
            _ => Text::of(""),
        }
    }

    pub fn settings(&self) -> Data {
        const ALL: &[&str] = &[
            "endpoints: [127.0.0.1:1]\n",
            "{\"endpoints\": [\"127.0.0.1:1\"], \"command-timeout\": \"20ms\"}",
            "dial-timeout: 20ms\nkeep-alive-time: 1s\nkeep-alive-timeout: 20ms",
            "insecure-transport: maybe",
            "unknown: 1",
            "[",
        ];
        Data::of(ALL[usize::from(self.byte()) % ALL.len()])
    }

    /// Spelt as no method of etcd is: a raw call's bytes are its caller's.
    pub fn raw_path(&self) -> Text {
        match self.byte() {
            0..=149 => Text::of("/raw.raw/raw"),
            _ => self.text().lowercase(),
        }
    }

    pub fn path(&self) -> Text {
        let snapshot = self.ground.directory.join("snapshot").to_string_lossy().into_owned();
        let nowhere = self.ground.directory.join("no/where").to_string_lossy().into_owned();
        self.input.borrow_mut().one_of(&[&snapshot, &snapshot, &nowhere, ""])
    }

    pub fn fd(&self) -> c_int {
        match self.byte() {
            0..=199 => self.ground.sink.as_raw_fd(),
            200..=229 => 987_654,
            _ => -1,
        }
    }

    pub fn number(&self) -> i64 {
        self.input.borrow_mut().number(self.sane)
    }

    pub fn choice(&self) -> i32 {
        self.input.borrow_mut().choice(self.sane)
    }

    pub fn limit(&self) -> i64 {
        self.input.borrow_mut().limit(self.sane)
    }

    pub fn wait(&self) -> i64 {
        self.input.borrow_mut().wait(self.sane)
    }

    pub fn event_fn(&self) -> etcd3_event_fn {
        (self.byte() < 200).then_some(on_event as _)
    }

    pub fn log_fn(&self) -> etcd3_log_fn {
        (self.byte() < 240).then_some(on_log as _)
    }

    pub fn wakeup_fn(&self) -> etcd3::ffi::queue::etcd3_wakeup_fn {
        (self.byte() < 240).then_some(on_wakeup as _)
    }

    pub fn stm_fn(&self) -> etcd3::ffi::stm::etcd3_stm_fn {
        (self.sane || self.byte() < 240).then_some(in_stm as _)
    }
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        let objects = std::mem::take(&mut *self.objects.borrow_mut());
        for (kind, objects) in objects {
            let free = callers::FREES.iter().find(|(name, _)| *name == kind);
            let (_, free) = free.unwrap_or_else(|| panic!("nothing frees a {kind}"));
            for object in objects {
                unsafe { callers::read(kind, object) };
                ground::timed(kind, || free(object));
            }
        }
    }
}

unsafe extern "C" fn on_event(event: *const etcd3_event_t, _: *mut c_void) {
    callers::read("event", event.cast());
}

unsafe extern "C" fn on_log(_: i32, message: *const c_char, _: *mut c_void) {
    ground::text(message);
}

unsafe extern "C" fn on_wakeup(_: *mut c_void) {}

/// A few steps, each time anew.
unsafe extern "C" fn in_stm(stm: *mut etcd3::ffi::stm::etcd3_stm_t, world: *mut c_void) -> i32 {
    let world = &*world.cast::<World>();
    world.objects.borrow_mut().insert("stm", vec![stm.cast()]);
    for _ in 0..world.byte() % 5 {
        world.one_of(callers::INSIDE_STM);
    }
    world.objects.borrow_mut().remove("stm");
    match world.byte() {
        0..=199 => 0,
        other => i32::from(other) - 200,
    }
}
