// Asking for a file, as QFileDialog's static functions do, but for what Qt gets wrong there.
#pragma once

#include <QString>

class QWidget;

namespace strobe {

/// An existing file; empty when the user gave up. `folder` may be a file in it.
QString askOpenPath(QWidget* parent, const QString& title, const QString& folder, const QString& filter);
/// A file to write, beginning with `proposed`; asks before one is written over.
QString askSavePath(QWidget* parent, const QString& title, const QString& proposed, const QString& filter);

}  // namespace strobe
