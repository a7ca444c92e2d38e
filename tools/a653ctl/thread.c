// SPDX-License-Identifier: GPL-2.0
/* The scheduling of a thread; functions return 0 or a negative errno */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/sched.h>

#include "liba653.h"

int thread_get_attr(pid_t tid, struct thread_attr *attr)
{
	memset(attr, 0, sizeof(*attr));
	if (syscall(SYS_sched_getattr, tid, attr, sizeof(*attr), 0) < 0)
		return -errno;
	return 0;
}

int thread_set_attr(pid_t tid, struct thread_attr *attr)
{
	attr->size = sizeof(*attr);
	return syscall(SYS_sched_setattr, tid, attr, 0) < 0 ? -errno : 0;
}

int thread_get_cpus(pid_t tid, struct cpus *cpus)
{
	memset(cpus, 0, sizeof(*cpus));
	return sched_getaffinity(tid, sizeof(cpus->word),
				 (cpu_set_t *)cpus->word) < 0 ? -errno : 0;
}

int thread_set_cpus(pid_t tid, const struct cpus *cpus)
{
	return sched_setaffinity(tid, sizeof(cpus->word),
				 (const cpu_set_t *)cpus->word) < 0 ? -errno : 0;
}

/* The parameters of a SCHED_RTDS thread; of another one, only its CPUs */
int thread_get_server(pid_t tid, struct server *server)
{
	struct thread_attr attr;
	int err = thread_get_attr(tid, &attr);

	memset(server, 0, sizeof(*server));
	if (err)
		return err;
	if (attr.policy == SCHED_RTDS) {
		server->par.budget_ns = attr.runtime;
		server->par.period_ns = attr.period;
		server->par.extra = attr.flags & SCHED_FLAG_RECLAIM;
	}
	return thread_get_cpus(tid, &server->cpus);
}

/**
 * thread_set_server - make a thread its own deferrable server
 * @tid: the thread; 0: the caller
 * @par: what it is given
 * @reset: its children are ordinary ones, so that it can have some. Without, it
 *	stays as it is.
 *
 * Return: 0 or a negative errno.
 */
int thread_set_server(pid_t tid, const struct rtds_params *par, bool reset)
{
	struct thread_attr attr;
	int err = thread_get_attr(tid, &attr);
	__u64 keep = attr.flags & SCHED_FLAG_RESET_ON_FORK;

	if (err)
		return err;
	memset(&attr, 0, sizeof(attr));
	attr.policy = SCHED_RTDS;
	attr.flags = reset ? SCHED_FLAG_RESET_ON_FORK : keep;
	if (par->extra)
		attr.flags |= SCHED_FLAG_RECLAIM;
	attr.runtime = par->budget_ns;
	attr.period = par->period_ns;
	return thread_set_attr(tid, &attr);
}

/* Make a SCHED_RTDS thread an ordinary one; others are left alone */
int thread_clear_server(pid_t tid)
{
	struct thread_attr attr;
	int err = thread_get_attr(tid, &attr);

	if (err || attr.policy != SCHED_RTDS)
		return err;
	attr = (struct thread_attr){
		.policy = SCHED_OTHER,
		.flags = attr.flags & SCHED_FLAG_RESET_ON_FORK,
		/* It has kept its niceness; -1 may be one, or an error */
		.nice = getpriority(PRIO_PROCESS, tid),
	};
	return thread_set_attr(tid, &attr);
}

/* Why it could not be given these parameters */
void thread_complain(pid_t tid, const struct server *server, int err)
{
	char *who = tid ? xasprintf("thread %d", tid) : xstrdup("the command");
	char *text = server_text(server);
	const char *hint = "";

	if (err == -EPERM)
		hint = " (it takes CAP_SYS_NICE)";
	else if (err == -EINVAL)
		hint = " (does this kernel have SCHED_RTDS?)";
	complain("cannot give %s %s: %s%s", who, text,
		 err == -EBUSY ? "there is no room for it" : strerror(-err),
		 hint);
	if (err == -EBUSY)
		server_explain_busy(server, NULL, tid);
	free(who);
	free(text);
}

/* The caller frees it; it is empty if there is no such thread */
char *thread_name(pid_t tid)
{
	char *path = xasprintf("/proc/%d/comm", tid), name[64] = "";
	FILE *f = fopen(path, "re");

	free(path);
	if (f) {
		if (!fgets(name, sizeof(name), f))
			*name = '\0';
		fclose(f);
	}
	name[strcspn(name, "\n")] = '\0';
	make_printable(name);
	return xstrdup(name);
}
