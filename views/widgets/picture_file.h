// Pictures written to files. A false answer comes with what to tell the user.
#pragma once

#include <QImage>
#include <QSize>
#include <QString>
#include <functional>

class QPainter;

namespace strobe {

/// `image` must not be null.
bool savePng(const QImage& image, const QString& path, QString* error);
/// What `paint` draws into `size`, as lines and text.
bool saveSvg(const QString& title, const QSize& size, const std::function<void(QPainter&)>& paint, const QString& path,
             QString* error);

}  // namespace strobe
