#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh A653CTL [--update] - test a653ctl where there is no kernel support
#
# Prints TAP. --update writes the golden files anew instead.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
a653ctl=$(realpath "$1")
update=${2-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nr=0
failed=0

result()	# STATUS NAME [FILE with what to say]
{
	nr=$((nr + 1))
	if (($1 == 0)); then
		echo "ok $nr $2"
		return
	fi
	echo "not ok $nr $2"
	[ -z "${3-}" ] || sed 's/^/# /' "$3"
	failed=1
}

# Run a653ctl; $out, $err: files with what it said; $status
run()
{
	out=$work/out err=$work/err
	"$a653ctl" "$@" >"$out" 2>"$err" </dev/null
	status=$?
}

expect()	# NAME STATUS COMMAND...: a653ctl COMMAND exits with STATUS
{
	local name=$1 wanted=$2
	shift 2
	run "$@"
	((status == wanted)) || echo "status $status, not $wanted" >>"$err"
	result $((status != wanted)) "$name" "$err"
}

# Mistakes and what is said about them, from errors.txt. The CPUs of this
# machine are not the table's fault.
one_error()	# NAME CONF WANTED
{
	local name=$1 conf=$2 wanted=$3
	run check "$conf"
	sed "s|^$conf:||; s|^ |: |; /this machine has only/d" "$err" >"$work/said"
	if diff -u "$wanted" "$work/said" >"$work/diff" && { ((status == 1)) ||
		{ ((status == 0)) && ! grep -qv warning "$wanted"; }; }; then
		result 0 "error: $name"
	else
		echo "status $status" >>"$work/diff"
		result 1 "error: $name" "$work/diff"
	fi
	run check --json "$conf"
	if python3 -c '
import json, sys
found = json.load(open(sys.argv[1]))
wanted = [l for l in open(sys.argv[2]) if ": this is the " not in l]
errors = [l for l in wanted if ": warning: " not in l]
assert found["ok"] == (not errors), found
said = ["%s: %s\n" % (e["line"] or "", e["text"]) for e in found["errors"]]
assert said == errors, (said, errors)
' "$out" "$wanted" >"$work/diff" 2>&1; then
		result 0 "error as JSON: $name"
	else
		result 1 "error as JSON: $name" "$work/diff"
	fi
}

split_errors()
{
	awk -v dir="$work/errors" '
	/^=== / { nr++; base = sprintf("%s/%03d", dir, nr); part = "conf"
		print substr($0, 5) >(base ".name"); printf "" >(base ".conf")
		printf "" >(base ".wanted"); next }
	!nr { next }
	/^---$/ { part = "wanted"; next }
	part == "wanted" && /^$/ { next }
	{ print >(base "." part) }' "$here/errors.txt"
}

test_errors()
{
	local base
	mkdir "$work/errors"
	split_errors
	for base in "$work"/errors/*.name; do
		base=${base%.name}
		one_error "$(<"$base.name")" "$base.conf" "$base.wanted"
	done
}

golden()	# NAME: what was put out is what it should be
{
	local file=$here/golden/$1
	[ -z "$update" ] || cp "$out" "$file"
	diff -u "$file" "$out" >"$work/diff" 2>&1
	result $? "golden: $1" "$work/diff"
}

test_examples()
{
	local conf name
	for conf in "$top"/examples/*.conf; do
		name=$(basename "$conf" .conf)
		expect "example: $name" 0 check --width 100 "$conf"
		golden "$name.txt"
		(cd "$top" && "$a653ctl" check --json "examples/$name.conf") \
			>"$out" 2>/dev/null
		# the CPUs of this machine again
		python3 -c '
import json, sys
d = json.load(sys.stdin)
d["warnings"] = []
print(json.dumps(d, indent=1))' <"$out" >"$work/json" && cp "$work/json" "$out"
		golden "$name.json"
	done
}

test_width()
{
	local width
	for width in 40 100 333; do
		run check --width $width "$top/examples/demo.conf"
		! grep -E '^  CPU [0-9]' "$out" | grep -qvxE ".{$width}"
		result $? "chart is $width columns wide"
	done
	expect "width must be a number" 2 check --width 9x "$top/examples/demo.conf"
	expect "width must not be tiny" 2 check --width 39 "$top/examples/demo.conf"
}

# As many as the kernel takes, and one more
test_limits()
{
	local n
	for n in 512 513; do
		{
			echo 'module: { name = "m"; cpus = "0"; };'
			echo 'partitions = ( { name = "a"; } );'
			echo 'schedules = ( { name = "s"; major_frame = "1s"; windows = ('
			seq -f '{ partition = "a"; cpus = "0"; offset = "%gms"; duration = "1ms"; },' 1 $((n - 1))
			echo '{ partition = "a"; cpus = "0"; offset = "900ms"; duration = "1ms"; } ); } );'
		} >"$work/windows"
		expect "lesson 9: $n windows" $((n > 512)) check "$work/windows"
	done
	for n in 256 257; do
		{
			echo 'module: { name = "m"; cpus = "0"; };'
			echo 'partitions = ('
			seq -f '{ name = "p%g"; },' $((n - 1))
			echo '{ name = "last"; } );'
			echo 'schedules = ( { name = "s"; major_frame = "1s"; windows = ('
			echo '{ partition = "last"; cpus = "0"; offset = "900ms"; duration = "1ms"; } ); } );'
		} >"$work/partitions"
		expect "$n partitions" $((n > 256)) check "$work/partitions"
	done
	for n in 16 17; do
		{
			echo 'module: { name = "m"; cpus = "0"; };'
			echo 'partitions = ( { name = "a"; } ); schedules = ('
			seq -f '{ name = "s%g"; major_frame = "1s"; windows = ( ); },' $((n - 1))
			echo '{ name = "last"; major_frame = "1s"; windows = ( ); } );'
		} >"$work/schedules"
		expect "$n schedules" $((n > 16)) check "$work/schedules"
	done
	# more partitions in a schedule than letters
	{
		echo 'module: { name = "m"; cpus = "0"; };'
		echo 'partitions = ('
		seq -f '{ name = "p%g"; },' 29
		echo '{ name = "last"; } );'
		echo 'schedules = ( { name = "s"; major_frame = "100ms"; windows = ('
		seq 29 |
			sed 's|.*|{ partition = "p&"; cpus = "0"; offset = "&ms"; duration = "1ms"; },|'
		echo '{ partition = "last"; cpus = "0"; offset = "90ms"; duration = "1ms"; strict = true; } ); } );'
	} >"$work/letters"
	expect "30 partitions, 26 letters" 0 check --width 111 "$work/letters"
	grep -q '^  CPU 0 .*pabc.*xyz???\.*!\.*$' "$out"
	result $? "... the rest is marked"
}

test_files()
{
	expect "file that is not there" 1 check "$work/none"
	grep -q "none: cannot open it: No such file" "$err"
	result $? "... and says so"
	expect "directory" 1 check "$work"
	printf 'module: {};\0' >"$work/zero"
	expect "file with a NUL" 1 check "$work/zero"
	head -c 17000000 /dev/zero | tr '\0' '\n' >"$work/large"
	expect "file that is too large" 1 check "$work/large"
	head -c 20000 /dev/zero | tr '\0' '{' >"$work/deep"
	expect "deep nesting" 1 check "$work/deep"
	printf 'module: ' >"$work/deep"
	head -c 300000 /dev/zero | tr '\0' '(' >>"$work/deep"
	expect "very deep nesting" 1 check "$work/deep"
	"$a653ctl" check "$top/examples/demo.conf" >/dev/full 2>"$err"
	result $(($? != 1)) "output that cannot be written is a failure"
}

test_usage()
{
	local verb
	expect "help" 0 --help
	expect "help, as a command" 0 help
	expect "no command" 2
	expect "unknown command" 2 frobnicate
	grep -q "no command \"frobnicate\"" "$err"
	result $? "... and says so"
	for verb in check load show status switch run rtds unload; do
		expect "$verb --help" 0 "$verb" --help
		grep -q "^Usage: a653ctl $verb" "$out"
		result $? "... tells usage"
		expect "help $verb" 0 help "$verb"
		expect "$verb: unknown option" 2 "$verb" --frobnicate
	done
	for verb in check load switch; do
		expect "$verb: no argument" 2 "$verb"
		expect "$verb: too many arguments" 2 "$verb" a b c
	done
	expect "run: no partition" 2 run true
	expect "run: no command" 2 run -p flight
	expect "run: priority 0" 2 run -p flight -P 0 true
	expect "run: priority 100" 2 run -p flight -P 100 true
	expect "run: priority that is no number" 2 run -p flight -P high true
	expect "run: CPUs that are no list" 2 run -p flight --cpu 0-x true
	expect "run: budget without period" 2 run --budget 2ms true
	expect "run: period without budget" 2 run --period 10ms true
	expect "run: extratime without budget" 2 run -p flight --extratime true
	expect "run: budget and priority" 2 run -p flight -P 7 --budget 2ms --period 10ms true
	expect "run: budget without unit" 2 run --budget 2 --period 10ms true
	expect "run: budget of no length" 2 run --budget 0ms --period 10ms true
	expect "run: budget longer than the period" 2 run --budget 11ms --period 10ms true
	grep -q "must not be longer than the period" "$err"
	result $? "... and says so"
	expect "run: period too short" 2 run --budget 10us --period 99us true
	expect "run: period too long" 2 run --budget 10us --period 4001ms true
	expect "run: budget too short" 2 run --budget 9us --period 10ms true
	expect "run: budget, no command" 2 run --budget 2ms --period 10ms
	for verb in set clear; do
		expect "rtds $verb --help" 0 rtds $verb --help
		grep -q "^Usage: a653ctl rtds $verb" "$out"
		result $? "... tells usage"
		expect "rtds $verb: nobody" 2 rtds $verb
		expect "rtds $verb: name that is none" 2 rtds $verb -p ../x
		expect "rtds $verb: PID 0" 2 rtds $verb -t 0
		expect "rtds $verb: PID that is none" 2 rtds $verb -t me
		expect "rtds $verb: argument" 2 rtds $verb -t 1 logger
	done
	expect "rtds: unknown verb" 2 rtds frobnicate
	expect "rtds set: nothing to change" 2 rtds set -p logger
	expect "rtds set: time without unit" 2 rtds set -p logger --budget 2
	expect "rtds set: neither yes nor no" 2 rtds set -p logger --extratime=maybe
	expect "rtds set: CPUs that are no list" 2 rtds set -p logger --cpus 0-x
	expect "rtds clear: nothing can be set" 2 rtds clear -p logger --budget 2ms
	expect "load: --at and --base" 2 load --at 1s --base 1s "$top/examples/demo.conf"
	expect "load: --at without unit" 2 load --at 5 "$top/examples/demo.conf"
	expect "unload: name that is none" 2 unload ../x
	expect "show: --conf and --json" 2 show --conf --json
}

# Of a thread that has no budget, without a kernel that has any
test_threads()
{
	expect "rtds set: thread that is not there" 1 rtds set -t 2147483647 --budget 2ms --period 10ms
	grep -q "cannot find thread 2147483647: No such process" "$err"
	result $? "... and says so"
	expect "rtds set: first of all, budget and period" 1 rtds set -t $$ --budget 2ms
	grep -q "thread $$ (run.sh): it has no budget yet: give --budget and --period" "$err"
	result $? "... and says so"
	grep -q "nothing was changed" "$err"
	result $? "... and that nothing was changed"
	expect "rtds set: budget longer than the period" 1 rtds set -t $$ --budget 11ms --period 10ms
	expect "rtds clear: a thread without budget" 0 rtds clear -t $$
	grep -qx "thread $$ (run.sh): no budget" "$out"
	result $? "... and says so"
	expect "rtds clear, as JSON" 0 rtds clear -j -t $$ -t $$
	python3 -c '
import json, sys
found = json.load(open(sys.argv[1]))
assert [f["pid"] for f in found] == [int(sys.argv[2])] * 2, found
assert [f["budget_ns"] for f in found] == [0, 0], found
' "$out" $$ 2>"$err"
	result $? "... is JSON" "$err"
}

# What needs the device fails where it is not, and says why. Nothing is made.
test_no_device()
{
	local verb
	[ ! -e /dev/a653 ] || return
	for verb in show status unload rtds; do
		expect "$verb without kernel support" 1 $verb
		grep -q "CONFIG_SCHED_A653" "$err"
		result $? "... and says so"
	done
	expect "switch without kernel support" 1 switch cruise
	expect "load without kernel support" 1 load "$top/examples/single.conf"
	expect "load of a past instant" 1 load --at 1ns "$top/examples/single.conf"
	expect "run in a partition that is not there" 1 run -p no-such-partition true
	expect "budget of a partition that is not there" 1 rtds set -p no-such-partition --budget 2ms
	expect "run with a budget without kernel support" 1 run --budget 2ms --period 10ms true
	grep -q "does this kernel have SCHED_RTDS" "$err"
	result $? "... and says so"
	expect "budget of a thread without kernel support" 1 rtds set -t $$ --budget 2ms --period 10ms
	grep -qx "thread $$ (run.sh): no budget" "$out"
	result $? "... it is what it was"
}

test_errors
test_examples
test_width
test_limits
test_files
test_usage
test_threads
test_no_device
echo "1..$nr"
exit $failed
