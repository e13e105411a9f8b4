// renaming.h: what the guests of rename and renameat2 share: files with a content, and what stands under a name.
#ifndef ACRIDA_GUEST_RENAMING_H
#define ACRIDA_GUEST_RENAMING_H

#include "check.h"

static void make(const char *name, const char *content)
{
	int fd = need(open(name, O_CREAT | O_WRONLY | O_TRUNC, 0644));
	write(fd, content, strlen(content));
	close(fd);
}

static void state(const char *name)
{
	struct stat st;
	char text[64] = "";
	if (lstat(name, &st)) {
		say("%s: %s", name, errno_name(errno));
		return;
	}
	if (S_ISREG(st.st_mode)) {
		int fd = open(name, O_RDONLY);
		read(fd, text, sizeof text - 1);
		close(fd);
	} else if (S_ISLNK(st.st_mode)) {
		readlink(name, text, sizeof text - 1);
	}
	say("%s: %s \"%s\"", name, type_name(st.st_mode), text);
}

#endif
