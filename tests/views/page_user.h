// What a user does with the widgets of a page.
#pragma once

#include <QLineEdit>
#include <QTest>

#include "views/widgets/segmented_control.h"

namespace strobe::testing {

inline void clickSegment(SegmentedControl& control, int index) {
    // Segments are as wide as their texts: step from the left until the wanted one answers.
    for (int x = 4; x < control.width() && control.current() != index; x += 6)
        QTest::mouseClick(&control, Qt::LeftButton, {}, QPoint(x, control.height() / 2));
    QCOMPARE(control.current(), index);
}

inline void typeInto(QLineEdit& edit, const QString& text) {
    edit.selectAll();
    QTest::keyClicks(&edit, text);
    QTest::keyClick(&edit, Qt::Key_Return);
}

template <class T>
T& child(QWidget& page, const char* name) {
    auto* found = page.findChild<T*>(name);
    if (found == nullptr) qFatal("no child %s", name);
    return *found;
}

inline void showAt(QWidget& page, int width, int height) {
    page.resize(width, height);
    page.show();
    QVERIFY(QTest::qWaitForWindowActive(&page));
}

}  // namespace strobe::testing
