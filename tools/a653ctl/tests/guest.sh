#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest.sh - test a653ctl with the kernel: run it as root in a guest
#
#   scripts/vm -- tools/a653ctl/tests/guest.sh
#
# Prints TAP. Expects two CPUs, nothing loaded, a653ctl in PATH.

set -u
cg=/sys/fs/cgroup
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nr=0
failed=0

result()	# STATUS NAME
{
	nr=$((nr + 1))
	if (($1 == 0)); then
		echo "ok $nr $2"
		return
	fi
	echo "not ok $nr $2"
	sed 's/^/# /' "$work/out" "$work/err"
	failed=1
}

run()
{
	a653ctl "$@" >"$work/out" 2>"$work/err" </dev/null
	status=$?
}

expect()	# NAME STATUS COMMAND...
{
	local name=$1 wanted=$2
	shift 2
	run "$@"
	((status == wanted)) || echo "status $status, not $wanted" >>"$work/err"
	result $((status != wanted)) "$name"
}

says()		# NAME TEXT: the last command said so
{
	grep -qF -- "$2" "$work/out" "$work/err"
	result $? "$1"
}

holds()		# NAME COMMAND...: the command succeeds
{
	local name=$1
	shift
	"$@" >>"$work/out" 2>>"$work/err"
	result $? "$name"
}

# shellcheck disable=SC2317 # for holds()
bound()		# CGROUP NAME
{
	[ "$(<"$cg/$1/a653.partition")" = "$2" ]
}

# All that a load could leave behind
world()
{
	(cd $cg && find . -type d | sort
	find . -name a653.partition -exec grep -H . {} + | sort
	grep -c a653 cgroup.subtree_control)
	ls /run/a653 2>/dev/null
}

unchanged()	# NAME
{
	world >"$work/after"
	diff "$work/before" "$work/after" >>"$work/out"
	result $? "$1"
}

policy()	# PID: scheduling policy, from its stat
{
	sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f39
}

# What the last command put out as JSON has for a key: a line for each value.
# (Not with python3: to start it takes seconds in an emulated machine.)
field()		# KEY
{
	sed -n "s/^ *\"$1\": *\"\\{0,1\\}\([^\",]*\)\"\\{0,1\\},\\{0,1\\}\$/\1/p" "$work/out"
}

conf()		# MODULE CPUS PARTITION=CGROUP...: each has 2 of 20 ms
{
	local module=$1 cpus=$2 i=0 p
	shift 2
	echo "module: { name = \"$module\"; cpus = \"$cpus\"; };"
	echo "partitions = ("
	for p; do
		((i++)) && echo ,
		echo "{ name = \"${p%%=*}\"; cgroup = \"${p#*=}\"; }"
	done
	echo "); schedules = ( { name = \"one\"; major_frame = \"20ms\"; windows = ("
	i=0
	for p; do
		((i)) && echo ,
		echo "{ partition = \"${p%%=*}\"; cpus = \"$cpus\"; offset = \"$((i * 3))ms\"; duration = \"2ms\"; }"
		((i++))
	done
	echo "); }, { name = \"two\"; major_frame = \"10ms\"; windows = ("
	echo "{ partition = \"${1%%=*}\"; cpus = \"$cpus\"; offset = \"1ms\"; duration = \"2ms\"; } ); } );"
}

test_load()
{
	world >"$work/before"
	expect "dry run" 0 load --dry-run "$work/m.conf"
	unchanged "dry run changes nothing"
	expect "load" 0 load "$work/m.conf"
	holds "cgroups are made and bound" bound deep/a a
	holds "... all of them" bound b b
	expect "status" 0 status --json
	holds "the first schedule is in force" [ "$(field schedule) $(field next)" = "one null" ]
	expect "show" 0 show
	says "show names cgroups" "partition a: cgroup deep/a"
	expect "show --json" 0 show --json
	holds "... has the cgroups" [ "$(field cgroup)" = $'deep/a\nb' ]
	holds "... is JSON" python3 -m json.tool "$work/out"
	run show --conf
	cp "$work/out" "$work/first.conf"
	world >"$work/before"
	expect "what show --conf prints loads again" 0 load "$work/first.conf"
	unchanged "a reload leaves the cgroups alone"
	run show --conf
	# a frame may start at any of the multiples
	sed -i /base_time/d "$work/first.conf" "$work/out"
	holds "... unchanged" cmp "$work/first.conf" "$work/out"
}

test_switch()
{
	expect "switch" 0 switch two
	run status --json
	holds "the other schedule is in force" [ "$(field schedule)" = two ]
	expect "switch, module named" 0 switch m one
	expect "switch at a time, without waiting" 0 switch two --at +600s --no-wait
	run status --json
	holds "it is pending" [ "$(field next) $(($(field next_ns) > $(field now_ns)))" = "two 1" ]
	run status
	says "... and status tells" "two in "
	expect "switch at a time" 0 switch one --at +100ms
	run status --json
	holds "it is in force" [ "$(field schedule)" = one ]
	expect "switch to no schedule" 1 switch three
	says "... the kernel tells why" "has no schedule"
	expect "switch of no module" 1 switch n one
	says "... and says so" 'no module "n" is loaded'
}

test_run()
{
	local pid
	expect "run" 0 run -p a -- cat /proc/self/cgroup
	says "in its cgroup" "0::/deep/a"
	expect "status of the command" 3 run -p a sh -c 'exit 3'
	expect "no command" 127 run -p a no-such-command
	says "... and says so" "no such command"
	expect "not a program" 126 run -p a /etc/passwd
	expect "no partition" 1 run -p c true
	expect "CPUs that are not there" 1 run -p a --cpu 77 true
	a653ctl run -p b -P 7 --cpu 1 -- sh -c 'sleep 100 & wait' &
	pid=$!
	sleep 0.5
	holds "SCHED_A653" [ "$(policy $pid)" = 16 ]
	holds "with its priority" grep -q '^prio *: *92$' /proc/$pid/sched
	holds "on its CPU" grep -q '^Cpus_allowed_list:[[:space:]]*1$' /proc/$pid/status
	holds "its child too" [ "$(policy "$(pgrep -P $pid)")" = 16 ]
	run status --json
	holds "status counts them" [ "$(field tasks)" = 2 ]
	children=$(pgrep -P $pid)
	parent=$pid
}

test_unload()
{
	world >"$work/before"
	expect "unload is refused while tasks depend on it" 1 unload m
	says "... the kernel tells why" "SCHED_A653 tasks"
	says "... and a653ctl what to do" "--force"
	unchanged "... nothing has changed"
	expect "unload with force" 0 unload m --force
	says "... a cgroup stays that has processes" "the cgroup b stays"
	holds "... they are SCHED_OTHER" [ "$(policy "$parent")" = 0 ]
	holds "... the others are gone" [ ! -e $cg/deep ]
	# shellcheck disable=SC2086
	kill "$parent" $children
	wait
	sleep 0.2
	expect "unload finds the rest" 0 unload m
	cp "$work/empty" "$work/before"
	unchanged "... everything is as it was"
	expect "unload of what is not loaded" 1 unload m
}

test_rollback()
{
	mkdir $cg/mine
	echo +a653 >$cg/cgroup.subtree_control
	echo foreign >$cg/mine/a653.partition
	world >"$work/before"
	conf m 0-1 a=x/y/a b=mine >"$work/clash.conf"
	expect "a cgroup is bound to another partition" 1 load "$work/clash.conf"
	says "... and says so" "bound to the partition foreign"
	unchanged "... everything is as it was"
	conf m 0-1 a=x/y/a foreign=other >"$work/clash.conf"
	expect "a partition is bound to another cgroup" 1 load "$work/clash.conf"
	says "... and says so" ": mine is bound to it"
	unchanged "... everything is as it was"
	conf m 0-77 a=x/y/a >"$work/clash.conf"
	expect "the kernel refuses" 1 load "$work/clash.conf"
	says "... with its reason" "CPU"
	unchanged "... everything is as it was"
	mkdir $cg/busy
	sleep 100 &
	echo $! >$cg/busy/cgroup.procs
	world >"$work/before"
	conf m 0-1 a=x/y/a foreign=mine b=busy/b >"$work/use.conf"
	expect "a cgroup with processes of its own" 1 load "$work/use.conf"
	says "... and says so" "the cgroup busy/b takes no processes"
	unchanged "... everything is as it was"
	conf m 0-1 a=x/y/a foreign=mine b=busy/b/c >"$work/use.conf"
	expect "the same, deeper" 1 load "$work/use.conf"
	unchanged "... everything is as it was"
	kill %%
	wait
	expect "what is there already is used" 0 load "$work/use.conf"
	expect "... and stays" 0 unload m
	unchanged "... as it was"
	rmdir $cg/busy $cg/mine
	echo -a653 >$cg/cgroup.subtree_control
}

test_reload()
{
	conf m 0-1 a=g/a b=g/b >"$work/one.conf"
	conf m 0-1 a=g/b b=h/b c=g/a >"$work/two.conf"
	conf m 0-1 a=g/a b=h/b c=g/b d=nosuch/../x >"$work/bad.conf"
	expect "load" 0 load "$work/one.conf"
	expect "reload with other cgroups for the partitions" 0 load "$work/two.conf"
	holds "... bound anew" bound g/b a
	holds "... and" bound h/b b
	holds "... and" bound g/a c
	world >"$work/before"
	expect "reload with a mistake" 1 load "$work/bad.conf"
	unchanged "... leaves all as it was"
	conf m 0 a=g/b >"$work/bad.conf"
	expect "reload on other CPUs" 1 load "$work/bad.conf"
	unchanged "... leaves all as it was"
	sleep 100 &
	echo $! >$cg/g/b/cgroup.procs
	expect "reload with a task in it" 0 load "$work/two.conf"
	kill %%
	wait
	expect "unload" 0 unload
	cp "$work/empty" "$work/before"
	unchanged "... takes down what both loads made"
}

test_two_modules()
{
	conf left 0 l=both/l >"$work/left.conf"
	conf right 1 r=both/r >"$work/right.conf"
	expect "load one" 0 load "$work/left.conf"
	expect "load another" 0 load "$work/right.conf"
	expect "which one?" 1 switch two
	says "... it says which there are" "left right"
	expect "status of both" 0 status --json
	holds "... both" [ "$(field module)" = $'left\nright' ]
	expect "status of one" 0 status right
	expect "unload the first" 0 unload left
	holds "... the other's cgroup is there" bound both/r r
	holds "... its own is not" [ ! -e $cg/both/l ]
	expect "unload the second" 0 unload
	cp "$work/empty" "$work/before"
	unchanged "... everything is as it was"
}

test_pending()
{
	local pid
	expect "load for later" 0 load --at +600s --no-wait "$work/m.conf"
	run status --json
	holds "... is not in force" [ "$(field schedule) $(field next)" = "null one" ]
	expect "... and is unloaded" 0 unload
	a653ctl load --at +3600s "$work/m.conf" &
	pid=$!
	sleep 0.5
	kill -9 $pid
	wait $pid 2>/dev/null
	run status
	says "a load that was killed while it waited is pending" "no schedule in force yet, one in "
	expect "... and is unloaded" 0 unload m
	unchanged "... everything is as it was"
	expect "base time in the past" 0 load --base 1s "$work/m.conf"
	run status --json
	holds "... is where frames start" [ $((($(field base_ns) - 1000000000) % 20000000)) = 0 ]
	expect "... and is unloaded" 0 unload m
}

test_privileges()
{
	local user=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	"${user[@]}" a653ctl load "$work/m.conf" >"$work/out" 2>"$work/err"
	holds "load needs privileges" [ $? = 1 ]
	unchanged "... nothing is left"
	run load "$work/m.conf"
	"${user[@]}" a653ctl status >"$work/out" 2>"$work/err"
	holds "status does not" [ $? = 0 ]
	"${user[@]}" a653ctl show --json >"$work/out" 2>"$work/err"
	holds "show does not" [ $? = 0 ]
	"${user[@]}" a653ctl unload >"$work/out" 2>"$work/err"
	holds "unload does" [ $? = 1 ]
	"${user[@]}" a653ctl switch two >"$work/out" 2>"$work/err"
	holds "switch does" [ $? = 1 ]
	"${user[@]}" a653ctl run -p a true >"$work/out" 2>"$work/err"
	holds "run does" [ $? = 1 ]
	run unload
	unchanged "everything is as it was"
}

# Windows for a and both, 80 % of each CPU is free; budgets for logger and both
budget_conf()
{
	cat <<-EOF
	module: { name = "m"; cpus = "0-1"; };
	partitions = (
	  { name = "a"; },
	  { name = "both"; rtds = { budget = "1ms"; period = "10ms"; extratime = true; }; },
	  { name = "logger"; cgroup = "deep/logger"; rtds = { budget = "2ms"; period = "10ms"; cpus = "1"; }; }
	);
	schedules = ( { name = "one"; major_frame = "20ms"; windows = (
	  { partition = "a"; cpus = "0-1"; offset = "0ms"; duration = "2ms"; },
	  { partition = "both"; cpus = "0-1"; offset = "5ms"; duration = "2ms"; } ); } );
	EOF
}

# shellcheck disable=SC2317 # for holds()
rtds_file()	# CGROUP TEXT
{
	[ "$(<"$cg/$1/a653.rtds")" = "$2" ]
}

test_budgets()
{
	local pid
	budget_conf >"$work/budgets.conf"
	expect "load with budgets" 0 load "$work/budgets.conf"
	holds "cgroup tells its budget" rtds_file deep/logger \
		"budget_ns=2000000 period_ns=10000000 extratime=0 cpus=1"
	holds "... the other too" rtds_file both \
		"budget_ns=1000000 period_ns=10000000 extratime=1 cpus=0-1"
	holds "... and that there is none" rtds_file a ""
	expect "show" 0 show
	says "show names the budget" "cgroup deep/logger; budget 2ms in each 10ms, CPUs 1"
	run show --conf
	cp "$work/out" "$work/first.conf"
	expect "what show --conf prints loads again" 0 load "$work/first.conf"
	run show --conf
	sed -i /base_time/d "$work/first.conf" "$work/out"
	holds "... unchanged" cmp "$work/first.conf" "$work/out"
	expect "rtds" 0 rtds
	says "... lists the servers" "logger"
	expect "rtds --json" 0 rtds --json
	holds "... all of them" [ "$(field server | sort | tr '\n' ' ')" = "both both logger " ]
	holds "... with their budgets" [ "$(field budget_ns | sort -n | tail -1)" = 2000000 ]
	holds "... is JSON" python3 -m json.tool "$work/out"
	expect "status" 0 status
	says "... has budgets" "budget of"
	expect "status --json" 0 status --json
	holds "... too" [ "$(field server | sort | tr '\n' ' ')" = "both both logger " ]
	a653ctl run -p logger -- sh -c 'while :; do :; done' &
	pid=$!
	sleep 1
	run rtds --json
	holds "a busy server is replenished" [ "$(field replenished | sort -n | tail -1)" -gt 10 ]
	holds "... and depleted" [ "$(field depleted | sort -n | tail -1)" -gt 10 ]
	kill $pid
	wait $pid 2>/dev/null
}

test_set()
{
	expect "set a budget" 0 rtds set -p logger --budget 3ms
	says "... it says what is in force" "partition logger: 3ms in each 10ms, CPUs 1"
	holds "... and the rest is kept" rtds_file deep/logger \
		"budget_ns=3000000 period_ns=10000000 extratime=0 cpus=1"
	expect "set two at once" 0 rtds set -p logger -p both --period 20ms --extratime
	says "... the one" "partition logger: 3ms in each 20ms, CPUs 1, extratime"
	says "... and the other" "partition both: 1ms in each 20ms, CPUs 0-1, extratime"
	expect "set CPUs, without extratime" 0 rtds set -p logger --cpus 0-1 --extratime=no
	holds "... done" rtds_file deep/logger \
		"budget_ns=3000000 period_ns=20000000 extratime=0 cpus=0-1"
	expect "set as JSON" 0 rtds set -j -p logger --budget 2ms
	holds "... is JSON" [ "$(field budget_ns) $(field cpus)" = "2000000 0-1" ]
	expect "CPUs that the module does not have" 1 rtds set -p logger --cpus 0-77
	says "... and says so" "its module m has only CPUs 0-1"
	expect "a budget for which there is no room" 1 rtds set -p logger --budget 19ms
	says "... and says so" "there is no room for it"
	says "... where, what was asked, what is free" "CPU 1: 95.0 % is asked; windows leave 80.0 %"
	says "... and what is in force" "partition logger: 2ms in each 20ms, CPUs 0-1"
	expect "one that has none needs both" 1 rtds set -p a -p logger --budget 1ms
	says "... and says so" "partition a: it has no budget yet: give --budget and --period"
	says "... and that nothing was changed" "nothing was changed"
	expect "a first budget" 0 rtds set -p a --budget 1ms --period 50ms
	says "... on all CPUs of the module" "partition a: 1ms in each 50ms, CPUs 0-1"
	expect "no such partition" 1 rtds set -p c --budget 1ms
	expect "clear" 0 rtds clear -p a -p logger
	says "... one" "partition a: no budget"
	says "... two" "partition logger: no budget"
	holds "... the cgroup says so" rtds_file deep/logger ""
	expect "clear what is clear" 0 rtds clear -p a
	expect "load again" 0 load "$work/budgets.conf"
	holds "... sets what the file says" rtds_file deep/logger \
		"budget_ns=2000000 period_ns=10000000 extratime=0 cpus=1"
	holds "... to all" rtds_file both \
		"budget_ns=1000000 period_ns=10000000 extratime=1 cpus=0-1"
}

test_threads()
{
	local pid child
	a653ctl run --budget 1ms --period 20ms --extratime -- sh -c 'sleep 100 & wait' &
	pid=$!
	sleep 0.5
	child=$(pgrep -P $pid)
	holds "run: SCHED_RTDS" [ "$(policy $pid)" = 17 ]
	holds "... its child is an ordinary one" [ "$(policy "$child")" = 0 ]
	run rtds --json
	holds "rtds lists it" grep -q "\"pid\": *$pid," "$work/out"
	expect "set its budget, and that of its child" 0 rtds set -t $pid -t "$child" --budget 1ms --period 50ms
	says "... extratime is kept" "thread $pid (sh): 1ms in each 50ms, CPUs 0-1, extratime"
	says "... one" "thread $child (sleep): 1ms in each 50ms, CPUs 0-1"
	holds "... the child is SCHED_RTDS" [ "$(policy "$child")" = 17 ]
	expect "bind it" 0 rtds set -t $pid --cpus 1 --extratime=no
	says "... done" "thread $pid (sh): 1ms in each 50ms, CPUs 1"
	expect "a thread and a partition" 0 rtds set -t $pid -p logger --budget 2ms
	says "... the one" "thread $pid (sh): 2ms in each 50ms, CPUs 1"
	says "... and the other" "partition logger: 2ms in each 10ms, CPUs 1"
	expect "more than there is" 1 rtds set -t $pid --budget 49ms
	says "... and says so" "there is no room for it"
	says "... where" "CPU 1: 98.0 % is asked"
	says "... and what is in force" "thread $pid (sh): 2ms in each 50ms, CPUs 1"
	expect "clear" 0 rtds clear -t $pid -t "$child"
	holds "... it is SCHED_OTHER" [ "$(policy $pid)" = 0 ]
	says "... and says so" "thread $pid (sh): no budget"
	kill "$child"
	wait $pid
	expect "run for which there is no room" 1 run --cpu 1 --budget 99ms --period 100ms true
	says "... and says so" "there is no room for it"
	says "... where" "CPU 1: 99.0 % is asked"
	expect "run in the cgroup of a partition" 0 run -p logger --budget 1ms --period 100ms cat /proc/self/cgroup
	says "... it is there" "0::/deep/logger"
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		a653ctl run --budget 1ms --period 100ms true >"$work/out" 2>"$work/err"
	holds "run with a budget needs privileges" [ $? = 1 ]
	says "... and says so" "it takes CAP_SYS_NICE"
	expect "unload" 0 unload
	unchanged "everything is as it was"
	expect "no server is left" 0 rtds
	says "... and says so" "there are no servers"
}

chmod 755 "$work"
mkdir -p /run/a653
world >"$work/empty"
conf m 0-1 a=deep/a b=b >"$work/m.conf"
expect "nothing is loaded" 0 status
says "... and says so" "no module is loaded"
test_load
test_switch
test_run
test_unload
test_rollback
test_reload
test_two_modules
test_pending
test_privileges
run rtds
if grep -q "this kernel knows no budgets" "$work/err"; then
	echo "# no SCHED_RTDS: budgets are not tested"
else
	test_budgets
	test_set
	test_threads
fi
echo "1..$nr"
exit $failed
