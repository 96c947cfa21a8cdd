// Long names and shapes have no blanks where a line could end. Pure; any thread.
#pragma once

#include <QString>

namespace strobe {

/// With a zero-width space after each sign that divides its parts, so that word wrap may break there; to be shown, not
/// to be copied.
QString breakable(QString text);
/// As it was before.
QString unbroken(QString text);

}  // namespace strobe
