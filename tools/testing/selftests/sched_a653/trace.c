// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's trace buffers as a list of events
 *
 * The events stay in the buffers while a test runs, so that nothing disturbs
 * it, and are decoded afterwards. The buffers must be large enough: what the
 * kernel had to drop is counted and fails the check.
 */
#include <fcntl.h>
#include <stdlib.h>

#include <event-parse.h>
#include <kbuffer.h>
#include <tracefs.h>

#include "lib.h"

#define BUFFER_KB	8192

enum field {
	F_PREV, F_PREV_PRIO, F_PREV_STATE, F_NEXT, F_NEXT_PRIO, F_PREV_COMM, F_NEXT_COMM,
	F_COMM, F_PID, F_PRIO, F_CPU,
	F_PART, F_SCHED, F_END, F_NOW, F_STRICT, F_QUEUED, F_RUN, F_FROM, F_WINDOWS,
	F_MODULE, F_SCHEDULE, F_BUF,
	F_SERVER_CPU, F_RAN, F_LEVEL, F_DEADLINE, F_LEFT,
	NR_FIELDS
};

static const char *const field_name[NR_FIELDS] = {
	"prev_pid", "prev_prio", "prev_state", "next_pid", "next_prio",
	"prev_comm", "next_comm",
	"comm", "pid", "prio", "target_cpu",
	"partition", "sched", "end", "now", "strict", "queued", "run", "from",
	"windows", "module", "schedule", "buf",
	"server_cpu", "ran", "level", "deadline", "left",
};

struct format {
	const char *system, *name;
	enum ev_type type;
	bool optional;		/* older kernels do not have it */
	int id;			/* -1: this one does not */
	struct {
		int offset, size;
	} field[NR_FIELDS];
};

static struct format formats[] = {
	{ .system = "sched", .name = "sched_switch", .type = EV_SWITCH },
	{ .system = "sched", .name = "sched_wakeup", .type = EV_WAKEUP },
	{ .system = "sched", .name = "sched_wakeup_new", .type = EV_WAKEUP },
	{ .system = "sched", .name = "sched_migrate_task", .type = EV_MIGRATE },
	{ .system = "a653", .name = "a653_window_open", .type = EV_OPEN },
	{ .system = "a653", .name = "a653_window_close", .type = EV_CLOSE },
	{ .system = "a653", .name = "a653_missed", .type = EV_MISSED },
	{ .system = "a653", .name = "a653_schedule_switch", .type = EV_SCHEDULE },
	{ .system = "a653", .name = "a653_wakeup_closed", .type = EV_CLOSED_WAKEUP },
	{ .system = "a653", .name = "a653_replenish", .type = EV_REPLENISH, .optional = true },
	{ .system = "a653", .name = "a653_deplete", .type = EV_DEPLETE, .optional = true },
	{ .system = "a653", .name = "a653_level", .type = EV_LEVEL, .optional = true },
	{ .system = "a653", .name = "a653_burn", .type = EV_BURN, .optional = true },
	{ .system = "a653", .name = "a653_pick", .type = EV_PICK, .optional = true },
	{ .system = "a653", .name = "a653_tickle", .type = EV_TICKLE, .optional = true },
	{ .system = "irq_vectors", .name = "local_timer_entry", .type = EV_IRQ },
	{ .system = "irq_vectors", .name = "reschedule_entry", .type = EV_IRQ },
	{ .system = "irq_vectors", .name = "irq_work_entry", .type = EV_IRQ },
	{ .system = "irq_vectors", .name = "call_function_single_entry", .type = EV_IRQ },
	{ .system = "irq", .name = "softirq_entry", .type = EV_SOFTIRQ_ENTRY },
	{ .system = "irq", .name = "softirq_exit", .type = EV_SOFTIRQ_EXIT },
};

static struct tracefs_instance *instance;

static void load_formats(void)
{
	static const char *const systems[] = { "sched", "a653", "irq_vectors", "irq", NULL };
	struct tep_handle *tep = tracefs_local_events_system(NULL, systems);
	size_t i;
	int k;

	ASSERT(tep, "no event formats");
	for (i = 0; i < ARRAY_SIZE(formats); i++) {
		struct format *f = &formats[i];
		struct tep_event *event;

		event = tep_find_event_by_name(tep, f->system, f->name);
		ASSERT(event || f->optional, "no event %s:%s", f->system, f->name);
		f->id = event ? event->id : -1;
		if (!event)
			continue;
		for (k = 0; k < NR_FIELDS; k++) {
			const char *name = field_name[k];
			struct tep_format_field *ff;

			if (k == F_CPU && f->type == EV_MIGRATE)
				name = "dest_cpu";
			ff = tep_find_field(event, name);
			if (!ff)
				continue;
			f->field[k].offset = ff->offset;
			f->field[k].size = ff->size;
		}
	}
	tep_free(tep);
}

static void remove_instance(void)
{
	tracefs_instance_destroy(instance);
}

void trace_prepare(void)
{
	char size[16];

	if (instance)
		return;
	instance = tracefs_instance_create("a653");
	ASSERT(instance, "no trace instance: %s", strerror(errno));
	atexit(remove_instance);
	load_formats();
	tracefs_trace_off(instance);
	snprintf(size, sizeof(size), "%d", BUFFER_KB);
	ASSERT(tracefs_instance_file_write(instance, "buffer_size_kb", size) > 0,
	       "no room for traces");
	ASSERT(tracefs_instance_file_write(instance, "trace_clock", "mono") > 0, "no mono clock");
}

void trace_begin(void)
{
	size_t i;

	trace_prepare();
	tracefs_instance_file_clear(instance, "trace");
	for (i = 0; i < ARRAY_SIZE(formats); i++)
		ASSERT(formats[i].id < 0 ||
		       !tracefs_event_enable(instance, formats[i].system, formats[i].name),
		       "event %s not enabled", formats[i].name);
	tracefs_trace_on(instance);
}

static int64_t get(const struct format *f, const char *data, enum field k)
{
	data += f->field[k].offset;
	switch (f->field[k].size) {
	case 1:
		return *(int8_t *)data;
	case 2:
		return *(int16_t *)data;
	case 4:
		return *(int32_t *)data;
	case 8:
		return *(int64_t *)data;
	}
	test_failed(true, __FILE__, __LINE__, "%s has no field %s", f->name, field_name[k]);
	return 0;
}

static int get_name(struct evlist *l, const struct format *f, const char *data, enum field k)
{
	char name[A653_NAME_LEN + 1] = "";

	ASSERT(f->field[k].size == A653_NAME_LEN, "%s has no field %s", f->name, field_name[k]);
	memcpy(name, data + f->field[k].offset, A653_NAME_LEN);
	return ev_intern(l, name);
}

static void get_comm(struct evlist *l, const struct format *f, const char *data,
		     enum field k, pid_t pid, uint64_t ts)
{
	ev_set_comm(l, pid, data + f->field[k].offset, ts);
}

static void decode(struct evlist *l, int cpu, uint64_t ts, const char *data)
{
	int id = *(uint16_t *)data;
	const struct format *f = formats;
	struct ev *e;

	while (f->id != id)
		if (++f == formats + ARRAY_SIZE(formats))
			return;
	e = ev_add(l, ts, cpu, f->type);
	switch (f->type) {
	case EV_SWITCH:
		e->sw.prev = get(f, data, F_PREV);
		e->sw.prev_prio = get(f, data, F_PREV_PRIO);
		/* 256: preempted; the low bits are why it sleeps */
		e->sw.prev_state = get(f, data, F_PREV_STATE) & 0xff;
		e->sw.next = get(f, data, F_NEXT);
		e->sw.next_prio = get(f, data, F_NEXT_PRIO);
		get_comm(l, f, data, F_PREV_COMM, e->sw.prev, ts);
		get_comm(l, f, data, F_NEXT_COMM, e->sw.next, ts);
		break;
	case EV_WAKEUP:
	case EV_MIGRATE:
	case EV_CLOSED_WAKEUP:
		e->task.pid = get(f, data, F_PID);
		e->task.prio = get(f, data, F_PRIO);
		e->task.cpu = get(f, data, F_CPU);
		get_comm(l, f, data, F_COMM, e->task.pid, ts);
		if (f->type == EV_CLOSED_WAKEUP)
			e->name = get_name(l, f, data, F_PART);
		break;
	case EV_OPEN:
		e->name = get_name(l, f, data, F_PART);
		e->open.sched = get(f, data, F_SCHED);
		e->open.end = get(f, data, F_END);
		e->open.now = get(f, data, F_NOW);
		e->open.strict = get(f, data, F_STRICT);
		e->open.queued = get(f, data, F_QUEUED);
		break;
	case EV_CLOSE:
		e->name = get_name(l, f, data, F_PART);
		e->close.sched = get(f, data, F_SCHED);
		e->close.now = get(f, data, F_NOW);
		e->close.run = get(f, data, F_RUN);
		break;
	case EV_MISSED:
		e->missed.from = get(f, data, F_FROM);
		e->missed.now = get(f, data, F_NOW);
		e->missed.windows = get(f, data, F_WINDOWS);
		break;
	case EV_SCHEDULE:
		e->name = get_name(l, f, data, F_SCHEDULE);
		e->schedule.module = get_name(l, f, data, F_MODULE);
		e->schedule.sched = get(f, data, F_SCHED);
		e->schedule.now = get(f, data, F_NOW);
		break;
	case EV_REPLENISH:
	case EV_DEPLETE:
	case EV_LEVEL:
	case EV_BURN:
	case EV_PICK:
		e->name = get_name(l, f, data, F_PART);
		e->server.pid = get(f, data, F_PID);
		e->server.cpu = get(f, data, F_SERVER_CPU);
		e->server.now = get(f, data, F_NOW);
		e->server.ran = get(f, data, F_RAN);
		e->server.level = get(f, data, F_LEVEL);
		e->server.deadline = get(f, data, F_DEADLINE);
		e->server.left = get(f, data, F_LEFT);
		break;
	case EV_TICKLE:
		e->tickle.pid = get(f, data, F_PID);
		e->tickle.cpu = get(f, data, F_SERVER_CPU);
		e->tickle.target = get(f, data, F_CPU);
		break;
	case EV_IRQ:
	case EV_SOFTIRQ_ENTRY:
	case EV_SOFTIRQ_EXIT:
		e->name = ev_intern(l, f->name);
		break;
	default:
		break;
	}
}

static uint64_t lost_events(int cpu)
{
	static const char *const what[] = { "overrun:", "commit overrun:", "dropped events:" };
	char file[64], *text, *line;
	uint64_t n = 0;
	size_t i;

	snprintf(file, sizeof(file), "per_cpu/cpu%d/stats", cpu);
	text = tracefs_instance_file_read(instance, file, NULL);
	ASSERT(text, "no %s", file);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		for (i = 0; i < ARRAY_SIZE(what); i++)
			if (!strncmp(line, what[i], strlen(what[i])))
				n += strtoull(line + strlen(what[i]), NULL, 10);
	free(text);
	return n;
}

static void read_cpu(struct evlist *l, int cpu)
{
	struct kbuffer *kbuf = kbuffer_alloc(KBUFFER_LSIZE_SAME_AS_HOST,
					     KBUFFER_ENDIAN_SAME_AS_HOST);
	unsigned long long ts;
	char page[65536], file[64];
	void *data;
	ssize_t n;
	int fd;

	ASSERT(kbuf, "no kbuffer");
	l->lost += lost_events(cpu);
	snprintf(file, sizeof(file), "per_cpu/cpu%d/trace_pipe_raw", cpu);
	fd = tracefs_instance_file_open(instance, file, O_RDONLY | O_NONBLOCK);
	ASSERT(fd >= 0, "%s: %s", file, strerror(errno));
	while ((n = read(fd, page, getpagesize())) > 0) {
		if (n < getpagesize())
			memset(page + n, 0, getpagesize() - n);
		kbuffer_load_subbuffer(kbuf, page);
		if (kbuffer_missed_events(kbuf))
			l->lost++;
		for (data = kbuffer_read_event(kbuf, &ts); data;
		     data = kbuffer_next_event(kbuf, &ts))
			decode(l, cpu, ts, data);
	}
	close(fd);
	kbuffer_free(kbuf);
}

void trace_stop(void)
{
	tracefs_trace_off(instance);
}

struct evlist *trace_end(void)
{
	struct evlist *l = ev_new();
	size_t i;
	int c;

	trace_stop();
	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].id >= 0)
			tracefs_event_disable(instance, formats[i].system, formats[i].name);
	for (c = 0; c < test_cpus(); c++)
		read_cpu(l, c);
	tracefs_instance_file_clear(instance, "trace");
	ev_sort(l);
	return l;
}
