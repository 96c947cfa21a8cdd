#include "views/widgets/picture_file.h"

#include <QBuffer>
#include <QCoreApplication>
#include <QPainter>
#include <QSaveFile>
#include <QSvgGenerator>

namespace strobe {
namespace {

/// Whole or not at all.
bool writeFile(const QByteArray& bytes, const QString& path, QString* error) {
    QSaveFile file(path);
    if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit()) return true;
    if (error != nullptr)
        *error = QCoreApplication::translate(
                     "Picture", "%1 could not be written (%2): check that the folder exists and may be written.")
                     .arg(path, file.errorString());
    return false;
}

}  // namespace

bool savePng(const QImage& image, const QString& path, QString* error) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return writeFile(bytes, path, error);
}

bool saveSvg(const QString& title, const QSize& size, const std::function<void(QPainter&)>& paint, const QString& path,
             QString* error) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(0, 0), size));
    generator.setTitle(title);
    QPainter painter(&generator);
    paint(painter);
    painter.end();
    return writeFile(bytes, path, error);
}

}  // namespace strobe
