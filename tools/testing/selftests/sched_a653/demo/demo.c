// SPDX-License-Identifier: GPL-2.0
/*
 * a653_demo [-s SECONDS] FILE - run partitions and budgets beside hogs
 *
 * Loads the configuration FILE with a653ctl, starts a process per CPU in each
 * partition with "a653ctl run": they spin, but for the last one's that has
 * windows, which wakes every few ms. Then a thread with a budget of its own, if
 * there is room for it; and a SCHED_FIFO 99 and an ordinary hog on each CPU.
 * Reports from a trace who ran when, and fails if that was not as planned.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "demo.h"

#define WAKE_US		"4000"
/* The SCHED_RTDS thread */
#define RTDS_NAME	"radio"
#define RTDS_BUDGET	"2ms"
#define RTDS_PERIOD	"16ms"
#define RTDS_CPU	"0"
/* All tasks must have had a window, or a budget, by then */
#define START_NS	(20 * SEC)

static struct demo_page *page;
static const char *self;

static void die(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "a653_demo: %s: %s\n", what, strerror(errno));
	exit(1);
}

static pid_t start(const char *const argv[], bool show)
{
	pid_t pid;
	int i;

	if (show) {
		printf("$");
		for (i = 0; argv[i]; i++)
			printf(" %s", argv[i]);
		printf("\n");
	}
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execvp(argv[0], (char *const *)argv);
		die(argv[0]);
	}
	return pid;
}

static void finish(pid_t pid, const char *what)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "a653_demo: %s failed\n", what);
		exit(1);
	}
}

static void load(struct demo *d, const char *file)
{
	const char *const argv[] = { "a653ctl", "load", file, NULL };
	struct a653_status st;
	int rc;

	if (nr_modules()) {
		fprintf(stderr, "a653_demo: a module is loaded already\n");
		exit(1);
	}
	finish(start(argv, true), argv[0]);
	rc = get_status("", &st);
	if (!rc) {
		d->f = conf_new(st.module, 0);
		d->f->c.nr_cpu_words = CONF_CPU_WORDS;
		d->f->c.nr_partitions = A653_MAX_PARTITIONS;
		d->f->c.nr_schedules = A653_MAX_SCHEDULES;
		d->f->c.nr_windows = CONF_WINDOWS;
		d->f->c.nr_budgets = CONF_BUDGETS;
		d->f->c.budget_size = sizeof(d->f->budget[0]);
		d->f->c.budgets = (uintptr_t)d->f->budget;
		rc = a653_ioctl(A653_IOC_GET, &d->f->c);
	}
	errno = -rc;
	if (rc)
		die("/dev/a653");
	d->sched = st.schedule;
	d->base = st.base_ns;
	d->major = d->f->sched[d->sched].major_frame_ns;
	d->cpus = test_cpus();
}

static void unload_module(struct demo *d)
{
	const char *const argv[] = { "a653ctl", "unload", d->f->c.module, NULL };

	finish(start(argv, false), argv[0]);
}

const char *name_of(const struct demo *d, int owner)
{
	return owner == OWNER_RTDS ? RTDS_NAME : d->f->part[owner].name;
}

int server_of(const struct demo *d, int owner, int cpu)
{
	int i;

	for (i = 0; i < d->nr_servers; i++)
		if (d->server[i].owner == owner && d->server[i].stat.cpu == (uint32_t)cpu)
			return i;
	return -1;
}

static uint64_t window_cpus(const struct demo *d, unsigned int part)
{
	unsigned int w = conf_first_win(d->f, d->sched), i;
	uint64_t cpus = 0;

	for (i = 0; i < d->f->sched[d->sched].nr_windows; i++, w++)
		if (d->f->win[w].partition == part)
			cpus |= 1ULL << d->f->win[w].cpu;
	return cpus;
}

static uint64_t budget_cpus(const struct demo *d, unsigned int part)
{
	uint64_t cpus = 0;
	unsigned int i;

	for (i = 0; i < d->f->c.nr_budgets; i++)
		if (d->f->budget[i].partition == part)
			cpus |= 1ULL << d->f->budget[i].cpu;
	return cpus;
}

static void run(struct demo *d, int owner, const char *const argv[])
{
	if (d->nr_tasks == DEMO_TASKS)
		return;
	d->task[d->nr_tasks].owner = owner;
	d->task[d->nr_tasks++].pid = start(argv, true);
}

static void run_in(struct demo *d, int part)
{
	const char *name = d->f->part[part].name;
	const char *const argv[] = {
		"a653ctl", "run", "-p", name, "--", self,
		d->waker[part] ? "--wake" : "--spin", name,
		d->waker[part] ? WAKE_US : NULL, NULL,
	};

	run(d, part, argv);
}

static void run_thread(struct demo *d)
{
	const char *const argv[] = {
		"a653ctl", "run", "--budget", RTDS_BUDGET, "--period", RTDS_PERIOD,
		"--cpu", RTDS_CPU, "--", self, "--spin", RTDS_NAME, NULL,
	};

	run(d, OWNER_RTDS, argv);
}

/* Somebody ended: the thread may, where a table leaves no room for its budget */
static void ended(struct demo *d, pid_t pid)
{
	const struct demo_task *last = &d->task[d->nr_tasks - 1];

	if (last->owner != OWNER_RTDS || last->pid != pid) {
		fprintf(stderr, "a653_demo: a653ctl run failed\n");
		exit(1);
	}
	printf("Without " RTDS_NAME ", then.\n");
	d->nr_tasks--;
}

static void find_servers(struct demo *d)
{
	static struct server_list l;
	unsigned int i, n = 0;
	int k;

	servers_read(&l);
	for (i = 0; i < l.h.nr_servers; i++) {
		const struct a653_server_stat *s = &l.s[i];

		for (k = 0; k < d->nr_tasks; k++) {
			int owner = d->task[k].owner;

			if (s->pid ? s->pid == (uint32_t)d->task[k].pid :
			    owner != OWNER_RTDS && !strcmp(s->name, name_of(d, owner)))
				break;
		}
		if (k == d->nr_tasks)
			continue;
		n += !s->pid;
		d->server[d->nr_servers].owner = d->task[k].owner;
		d->server[d->nr_servers++].stat = *s;
	}
	if (n != d->f->c.nr_budgets) {
		fprintf(stderr, "a653_demo: %u servers for %u budgets\n", n, d->f->c.nr_budgets);
		exit(1);
	}
}

static void run_all(struct demo *d)
{
	int fd = memfd_create("a653_demo", 0), ready, i, k;
	int nr = d->f->c.nr_partitions;
	int64_t until;
	pid_t pid;

	if (fd < 0 || ftruncate(fd, sizeof(*page)) || dup2(fd, DEMO_PAGE_FD) < 0)
		die("shared memory");
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		die("shared memory");
	for (i = nr - 1; i > 0 && !window_cpus(d, i); i--)
		;
	d->waker[i] = true;
	for (i = 0; i < nr; i++) {
		k = __builtin_popcountll(window_cpus(d, i) | budget_cpus(d, i));
		for (k = d->waker[i] ? 1 : k; k; k--)
			run_in(d, i);
	}
	run_thread(d);
	/* as soon as they may they come as far as to wait for each other */
	until = now_ns() + START_NS;
	while ((ready = atomic_load(&page->ready)) < d->nr_tasks) {
		if (now_ns() > until) {
			fprintf(stderr, "a653_demo: only %d of %d tasks came to run\n",
				ready, d->nr_tasks);
			exit(1);
		}
		pid = waitpid(-1, NULL, WNOHANG);
		if (pid > 0)
			ended(d, pid);
		else
			futex_wait(&page->ready, ready, SEC);
	}
	find_servers(d);
}

static void finish_all(struct demo *d)
{
	int i;

	for (i = 0; i < d->nr_tasks; i++)
		finish(d->task[i].pid, name_of(d, d->task[i].owner));
}

/* Keep whole major frames, from the first with all hogs in it */
static void trim(struct demo *d, int64_t from, int64_t to)
{
	struct evlist *l = d->l;
	size_t i, nr = 0;

	d->from = d->base + ((from - d->base) / d->major + 1) * d->major;
	d->to = d->base + (to - d->base) / d->major * d->major;
	for (i = 0; i < l->nr; i++)
		if ((int64_t)l->ev[i].ts >= d->from && (int64_t)l->ev[i].ts < d->to)
			l->ev[nr++] = l->ev[i];
	l->nr = nr;
}

static struct worker *new_hog(const char *name, int policy, int prio, int cpu)
{
	struct worker *w = worker_new(name, demo_hog);
	int rc;

	worker_fork(w);
	rc = set_cpus(w->pid, 1ULL << cpu) ?: set_policy(w->pid, policy, prio);
	errno = -rc;
	if (rc)
		die(name);
	return w;
}

/*
 * The SCHED_FIFO hogs let nobody else run but the partitions until they end
 * by themselves: this process too waits for that.
 */
static void record(struct demo *d, int64_t duration)
{
	struct attr fifo = {
		.size = sizeof(fifo), .policy = SCHED_FIFO, .priority = 99,
		.flags = SCHED_FLAG_RESET_ON_FORK,
	};
	int64_t from, to;
	int c;

	printf("Beside them, on each CPU, a SCHED_FIFO 99 and an ordinary hog, for %g s ...\n",
	       duration / 1e9);
	fflush(stdout);
	if (set_attr(0, &fifo))
		die("SCHED_FIFO");
	for (c = 0; c < d->cpus; c++) {
		d->hog[c] = new_hog("hog", SCHED_OTHER, 0, c);
		d->fifo[c] = new_hog("hog-fifo", SCHED_FIFO, 99, c);
	}
	trace_begin();
	futex_post(&page->go);
	from = now_ns();
	to = from + duration;
	for (c = 0; c < d->cpus; c++) {
		d->hog[c]->until = INT64_MAX;
		d->fifo[c]->until = to;
		worker_go(d->hog[c]);
		worker_go(d->fifo[c]);
	}
	pass_until(to);
	/* extratime would leave little to those who read the trace */
	atomic_store(&page->stop, 1);
	d->l = trace_end();
	/* a frame later all of them have had a window to begin in */
	trim(d, from + d->major, to);
	for (c = 0; c < d->cpus; c++) {
		worker_end(d->fifo[c]);
		worker_end(d->hog[c]);
	}
}

static void judge_by(struct demo *d)
{
	int i, mod;

	d->o = ora_new(d->l);
	d->rtds = rtds_ora_new(d->l);
	mod = ora_module(d->o, d->f);
	ora_start(d->o, mod, d->f->sched[d->sched].name, d->base);
	rtds_ora_windows(d->rtds, d->f->cpus[0]);
	for (i = 0; i < d->nr_servers; i++) {
		const struct a653_server_stat *s = &d->server[i].stat;
		bool extra = s->flags & A653_SERVER_EXTRATIME;

		if (s->pid) {
			rtds_ora_thread(d->rtds, s->pid, 1ULL << s->cpu, s->budget_ns,
					s->period_ns, extra, s->deadline_ns, 0);
			continue;
		}
		rtds_ora_budget(d->rtds, s->name, s->cpu, s->budget_ns, s->period_ns,
				extra, s->deadline_ns, 0);
		ora_budgeted(d->o, s->name);
	}
	for (i = 0; i < d->nr_tasks; i++) {
		const struct demo_task *t = &d->task[i];

		if (t->owner == OWNER_RTDS)
			continue;
		ora_task(d->o, t->pid, name_of(d, t->owner), all_cpus(), 0);
		rtds_ora_task(d->rtds, t->pid, name_of(d, t->owner), 0);
	}
}

int main(int argc, char **argv)
{
	int64_t duration = 3 * SEC;
	struct demo d = { };
	int rc;

	self = program_invocation_short_name;
	if (argc >= 3 && !strcmp(argv[1], "--spin"))
		return work(argv[2], NULL);
	if (argc == 4 && !strcmp(argv[1], "--wake"))
		return work(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "-s")) {
		duration = atof(argv[2]) * SEC;
		argv += 2;
		argc -= 2;
	}
	if (argc != 2 || duration < SEC / 10 || duration > 60 * SEC) {
		fprintf(stderr, "Usage: a653_demo [-s SECONDS] FILE\n");
		return 2;
	}
	if (access("/dev/a653", F_OK))
		die("/dev/a653: run it in the guest (make demo)");
	load(&d, argv[1]);
	run_all(&d);
	record(&d, duration);
	finish_all(&d);
	judge_by(&d);
	rc = report(&d, account(&d));
	unload_module(&d);
	return rc;
}
