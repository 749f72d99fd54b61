#!/bin/sh
# usage: tests/summary.sh <log> <command> [argument...]
# Runs the tests, shows and logs what they print, and sums it up; exits as the command did.
set -u
log=$1
shift
mkdir -p "$(dirname "$log")"
rm -f "$log.status"
# A pipe has only its last command's status, and that one is tee's.
{
    "$@" 2>&1
    echo $? >"$log.status"
} | tee "$log"
status=$(cat "$log.status" 2>/dev/null || echo 1)
rm -f "$log.status"

# Tests print any bytes.
LC_ALL=C awk -v status="$status" -v wanted="${ETCD_VERSIONS:-}" '
    function once(list, item) {
        if ((list, item) in seen) return 0
        seen[list, item] = 1
        return 1
    }
    function add(text, item) { return text == "" ? item : text ", " item }
    { sub(/\r$/, "") }
    /^test result: / {
        for (i = 2; i <= NF; i++) {
            if ($i ~ /^passed/) passed += $(i - 1)
            if ($i ~ /^failed/) failed += $(i - 1)
            if ($i ~ /^ignored/) ignored += $(i - 1)
        }
    }
    /^test .* \.\.\. FAILED/ { failures[++failure_count] = $2 }
    /^C [^ ]+ etcd [^ ]+: [0-9]+ checks$/ {
        programs += once("program", $2)
        checks += $5
        version = $4
        sub(/:$/, "", version)
        if (once("version", version)) versions = add(versions, version)
    }
    /^LANG .*: passed$/ {
        name = $0
        sub(/^LANG /, "", name)
        sub(/: passed$/, "", name)
        if (once("language", name)) languages = add(languages, name)
    }
    /^SKIPPED / { if (once("skipped", $0)) skipped[++skipped_count] = $0 }
    END {
        print ""
        print "Summary"
        printf "  tests      %d run, %d passed, %d failed, %d ignored\n",
            passed + failed, passed, failed, ignored
        for (i = 1; i <= failure_count; i++) print "             FAILED " failures[i]
        printf "  C          %d checks (programs: %d)\n", checks, programs
        print "  languages  " (languages == "" ? "none" : languages)
        if (skipped_count == 0) print "  skipped    nothing"
        for (i = 1; i <= skipped_count; i++) print "  " skipped[i]
        if (versions == "") versions = (wanted == "" ? "the newest" : wanted) " (asked for)"
        print "  etcd       " versions
        if (status != 0 && failed == 0)
            print "  not all tests ran: see the first error above"
        printf "%d passed, %d failed\n", passed, failed
        if (passed + failed == 0) exit 1
    }
' "$log" || status=1
exit "$status"
