# make help says what there is to make.

PREFIX = /usr/local
LIBDIR = $(PREFIX)/lib
INCLUDEDIR = $(PREFIX)/include
CARGO = cargo
FUZZ_SECONDS = 900
FUZZ = calls answers config
CFLAGS = -O2 -g -Wall -Wextra

TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
RUST := $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
LIBRARY = $(TARGET)/release/libetcd3.so
EXAMPLES = $(patsubst examples/c/%.c,$(TARGET)/examples/%,$(wildcard examples/c/*.c)) $(TARGET)/examples/etcd3ctl
DEST_LIB = $(DESTDIR)$(LIBDIR)
DEST_INCLUDE = $(DESTDIR)$(INCLUDEDIR)

.PHONY: all demo test large fault-fast fault mutants fuzz header examples install uninstall setup clean help need-cargo need-cc

all: need-cargo need-cc
	@$(CARGO) build --release --locked
	@ln -sf libetcd3.so $(LIBRARY).0

demo: $(TARGET)/examples/tour
	@$(CARGO) run --quiet --locked --package etcd-run -- -- $(TARGET)/examples/tour

examples: $(EXAMPLES)

$(TARGET)/examples/etcd3ctl: $(wildcard examples/c/etcd3ctl/*.[ch])
$(filter-out %/etcd3ctl,$(EXAMPLES)): $(TARGET)/examples/%: examples/c/%.c
$(EXAMPLES): all
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -Iinclude $(filter %.c,$^) -o $@ -L$(TARGET)/release -letcd3 -lpthread \
	  '-Wl,-rpath,$$ORIGIN/../release'

test: all
	@sh tests/summary.sh $(TARGET)/test.log \
	  $(CARGO) test --locked --workspace --no-fail-fast -- --show-output

# One at a time: they print figures.
large: all
	@sh tests/summary.sh $(TARGET)/large.log \
	  $(CARGO) test --locked --test large -- --ignored --show-output --test-threads=1

# What a failed run leaves is in target/fault; RIG="F1 --seed 7" runs less, or the same again.
fault-fast fault: all
	@ETCD3_LIBDIR="$(abspath $(TARGET)/release)" $(CARGO) run --quiet --locked --package etcd3-rig -- \
	  $(if $(filter fault,$@),full,fast) $(RIG)

# The library with ways to be wrong, each of which the rig has to notice.
mutants: need-cargo need-cc
	@CARGO_PROFILE_RELEASE_LTO=off $(CARGO) build --release --locked --features mutants \
	  --target-dir $(TARGET)/mutants
	@ETCD3_MUTANT_LIBDIR="$(abspath $(TARGET)/mutants/release)" \
	  $(CARGO) run --quiet --locked --package etcd3-rig -- mutants $(RIG)

# The C interface under arbitrary use; FUZZ_SECONDS for all of it, FUZZ="calls" for less. See CONTRIBUTING.md.
fuzz: need-cc
	@sh fuzz/run.sh "$(abspath $(TARGET)/fuzz)" $(FUZZ_SECONDS) $(FUZZ)

header: need-cargo need-cc
	ETCD3_WRITE_HEADER=1 $(CARGO) build --release --locked

# Builds only what is not there: whoever installs may be another user, without cargo.
install:
	@test -f $(LIBRARY) || $(MAKE) all
	install -d "$(DEST_LIB)/pkgconfig" "$(DEST_INCLUDE)"
	install -m 755 $(LIBRARY) "$(DEST_LIB)/libetcd3.so.$(VERSION)"
	@if command -v strip >/dev/null; then \
	  strip --strip-unneeded "$(DEST_LIB)/libetcd3.so.$(VERSION)"; fi
	ln -sf libetcd3.so.$(VERSION) "$(DEST_LIB)/libetcd3.so.0"
	ln -sf libetcd3.so.0 "$(DEST_LIB)/libetcd3.so"
	install -m 644 $(TARGET)/release/libetcd3.a "$(DEST_LIB)/libetcd3.a"
	install -m 644 include/etcd3.h "$(DEST_INCLUDE)/etcd3.h"
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
	  -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	  packaging/etcd3.pc.in >"$(DEST_LIB)/pkgconfig/etcd3.pc"
	@chmod 644 "$(DEST_LIB)/pkgconfig/etcd3.pc"

uninstall:
	rm -f "$(DEST_LIB)/libetcd3.so.$(VERSION)" "$(DEST_LIB)/libetcd3.so.0" \
	  "$(DEST_LIB)/libetcd3.so" "$(DEST_LIB)/libetcd3.a" \
	  "$(DEST_LIB)/pkgconfig/etcd3.pc" "$(DEST_INCLUDE)/etcd3.h"

setup: need-cargo need-cc
	@missing=; for tool in ruby valgrind pkg-config openssl; do \
	  command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -z "$$missing" ]; then :; \
	elif ! command -v apt-get >/dev/null; then \
	  echo "all tests also need:$$missing" >&2; exit 1; \
	elif [ "$$(id -u)" = 0 ]; then \
	  apt-get update -q && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	else \
	  echo "all tests also need: sudo apt-get install$$missing" >&2; exit 1; \
	fi
	@if command -v npm >/dev/null && [ -f tests/lang/node/package-lock.json ]; then \
	  cd tests/lang/node && npm ci --no-audit --no-fund; fi

clean:
	@if command -v $(CARGO) >/dev/null; then $(CARGO) clean; fi
	rm -rf target tests/lang/node/node_modules
	find tests -name __pycache__ -type d -prune -exec rm -rf {} +

help:
	@echo "make              the library: $(LIBRARY) and .a"
	@echo "make demo         a tour of the C interface, with an etcd server of its own"
	@echo "make test         all tests; ETCD_VERSIONS=\"3.4 3.5 3.6 3.7\" names the servers"
	@echo "make large        a million keys and a snapshot of 200 MB, in TMPDIR, with figures"
	@echo "make fault-fast   the library under faults, with real clusters, in under 10 minutes"
	@echo "make fault        the same in about two hours; RIG=\"F1 F8 --seed 7\" runs less of both"
	@echo "make mutants      whether the fault tests notice a library that is wrong on purpose"
	@echo "make fuzz         arbitrary calls and answers, FUZZ_SECONDS=900; needs a nightly toolchain"
	@echo "make examples     the programs of examples/c, in $(TARGET)/examples"
	@echo "make header       include/etcd3.h, made anew from the source"
	@echo "make install      to PREFIX ($(PREFIX)), LIBDIR, INCLUDEDIR, below DESTDIR"
	@echo "make uninstall    the reverse"
	@echo "make setup        what the tests need beside Rust and a C compiler"
	@echo "make clean        removes all that was built"

need-cargo:
	@command -v $(CARGO) >/dev/null || { \
	  echo "libetcd3 needs a Rust toolchain (cargo ≥ $(RUST)): see https://rustup.rs" >&2; exit 1; }
	@$(CARGO) --version | awk -v need=$(RUST) '{ split($$2, have, "."); split(need, want, "."); \
	  exit !(have[1] > want[1] || (have[1] == want[1] && have[2] >= want[2])) }' || { \
	  echo "libetcd3 needs cargo ≥ $(RUST), and this is $$($(CARGO) --version): see https://rustup.rs" >&2; exit 1; }

need-cc:
	@command -v $(firstword $(CC)) >/dev/null || { \
	  echo "libetcd3 needs a C compiler ($(CC)): on Debian apt-get install build-essential" >&2; exit 1; }
